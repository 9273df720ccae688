/*
 * A bare client with nothing but OpenSSL and a socket: see client.h. What it needs, nobody can do without. It also
 * tells when its steps were done, by which the bench knows that its wire is as slow as it says.
 */
#include "client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE_MOST (128 * 1024)

struct connection {
    const char *host;
    SSL *ssl;
};

static int connect_to(const char *host)
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int yes = 1;
    int fd = -1;

    if (getaddrinfo(host, "443", &hints, &found) != 0)
        return -1;
    client_tell("resolved");
    fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    if (fd >= 0)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    return fd;
}

static SSL_CTX *new_context(const char *trust)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct stat kind;
    bool folder = stat(trust, &kind) == 0 && S_ISDIR(kind.st_mode);

    if (context == NULL)
        return NULL;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if ((folder ? SSL_CTX_load_verify_dir(context, trust) : SSL_CTX_load_verify_file(context, trust)) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static bool secure(SSL *ssl, const char *host, int fd)
{
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1 && SSL_set_fd(ssl, fd) == 1 &&
           SSL_connect(ssl) == 1;
}

/* The end of the headers in `text`, or NULL. *length is what they say of the body. */
static const char *end_of_headers(const char *text, size_t *length)
{
    const char *end = strstr(text, "\r\n\r\n");
    const char *header = strcasestr(text, "\r\nContent-Length:");

    if (end == NULL || header == NULL || header > end)
        return NULL;
    *length = strtoul(header + strlen("\r\nContent-Length:"), NULL, 10);
    return end + 4;
}

static bool read_answer(SSL *ssl)
{
    static char answer[MESSAGE_MOST];
    size_t got = 0;
    size_t length = 0;
    const char *body = NULL;

    while (body == NULL || (size_t)(answer + got - body) < length) {
        int more = SSL_read(ssl, answer + got, (int)(sizeof answer - 1 - got));

        if (more <= 0)
            return false;
        got += (size_t)more;
        answer[got] = '\0';
        body = end_of_headers(answer, &length);
    }
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0;
}

static bool ask(void *data, const struct request *request)
{
    static char message[MESSAGE_MOST];
    const struct connection *connection = data;
    int length = snprintf(message, sizeof message, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: bench\r\n",
                          request->method, request->path, connection->host);

    if (request->target != NULL)
        length += snprintf(message + length, sizeof message - (size_t)length,
                           "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: %s\r\nContent-Length: %zu\r\n",
                           request->target, request->length);
    length +=
        snprintf(message + length, sizeof message - (size_t)length, "\r\n%.*s", (int)request->length, request->body);
    return (size_t)length < sizeof message && SSL_write(connection->ssl, message, length) == length &&
           read_answer(connection->ssl);
}

int main(int argc, char **argv)
{
    struct connection connection;
    SSL_CTX *context;
    int status = EXIT_FAILURE;
    int fd;

    client_begin();
    if (argc < 4)
        return EXIT_FAILURE;
    connection.host = argv[2];
    context = new_context(argv[1]);
    connection.ssl = context == NULL ? NULL : SSL_new(context);
    fd = connect_to(connection.host);
    client_tell("connected");
    if (fd >= 0 && connection.ssl != NULL && secure(connection.ssl, connection.host, fd)) {
        client_tell("secured");
        status = client_run(argv + 3, ask, &connection);
    }
    SSL_free(connection.ssl);
    SSL_CTX_free(context);
    if (fd >= 0)
        close(fd);
    return status;
}
