/*
 * A bare client with libcurl: see client.h. It believes every answer, and looks at nothing but the status.
 */
#include "client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

struct connection {
    CURL *easy;
    const char *host;
};

static size_t drop(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    (void)data;
    return size * count;
}

static struct curl_slist *headers_of(const struct request *request)
{
    char line[256];

    snprintf(line, sizeof line, "X-Amz-Target: %s", request->target);
    return curl_slist_append(curl_slist_append(NULL, "Content-Type: application/x-amz-json-1.1"), line);
}

static void set_method(CURL *easy, const struct request *request, struct curl_slist *headers)
{
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (headers == NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)request->length);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
}

static bool ask(void *data, const struct request *request)
{
    const struct connection *connection = data;
    struct curl_slist *headers = request->target == NULL ? NULL : headers_of(request);
    char url[512];
    long status = 0;
    bool works;

    snprintf(url, sizeof url, "https://%s%s", connection->host, request->path);
    curl_easy_setopt(connection->easy, CURLOPT_URL, url);
    set_method(connection->easy, request, headers);
    works = curl_easy_perform(connection->easy) == CURLE_OK;
    curl_easy_getinfo(connection->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    return works && status == 200;
}

/* libcurl's own default is the bundle file; NULL drops it. */
static void set_trust(CURL *easy, const char *path)
{
    struct stat kind;
    bool folder = stat(path, &kind) == 0 && S_ISDIR(kind.st_mode);

    curl_easy_setopt(easy, CURLOPT_CAINFO, folder ? NULL : path);
    curl_easy_setopt(easy, CURLOPT_CAPATH, folder ? path : NULL);
}

int main(int argc, char **argv)
{
    struct connection connection;
    int status;

    client_begin();
    if (argc < 4 || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    connection.host = argv[2];
    connection.easy = curl_easy_init();
    if (connection.easy == NULL)
        return EXIT_FAILURE;
    set_trust(connection.easy, argv[1]);
    curl_easy_setopt(connection.easy, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(connection.easy, CURLOPT_USERAGENT, "bench");
    curl_easy_setopt(connection.easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    status = client_run(argv + 3, ask, &connection);
    curl_easy_cleanup(connection.easy);
    curl_global_cleanup();
    return status;
}
