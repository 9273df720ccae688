#include "helper/transfer.h"

#include "common/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Longer than the deadline that http.c keeps itself, see there. libcurl needs one to share it out among the addresses
 * of a name, so that a dead first one leaves time for the second. */
#define CONNECT_GRACE_MS 1000

/* Holds nearly every reply there is. Room for the longest from the start would be 64 pages to bring in, and to erase,
 * for each request. */
#define BODY_FIRST ((size_t)8 * 1024)

static void free_body(struct transfer *transfer)
{
    if (transfer->body == NULL)
        return;
    explicit_bzero(transfer->body, transfer->length);
    free(transfer->body);
    transfer->body = NULL;
}

/* Not by realloc(), which would leave the old bytes where they were; helper/erase.c is not in every build. */
static bool make_room(struct transfer *transfer, size_t length)
{
    size_t room = transfer->room;
    char *body;

    while (room < length)
        room *= 2;
    if (room == transfer->room)
        return true;
    body = malloc(room);
    if (body == NULL)
        return false;
    memcpy(body, transfer->body, transfer->length);
    free_body(transfer);
    transfer->body = body;
    transfer->room = room;
    return true;
}

static size_t keep_body(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;

    if (length > REPLY_BODY_MAX - transfer->length) {
        transfer->oversized = true;
        return CURL_WRITEFUNC_ERROR;
    }
    if (!make_room(transfer, transfer->length + length))
        return CURL_WRITEFUNC_ERROR;
    memcpy(transfer->body + transfer->length, bytes, length);
    transfer->length += length;
    return length;
}

/* libcurl keeps the headers itself; they are only weighed here, a line at a time. It takes a reply that ends within
 * them for a whole one, so their end is looked for: the empty line, once more after an interim reply. */
static size_t weigh_header(char *bytes, size_t size, size_t count, void *data)
{
    struct transfer *transfer = data;
    size_t length = size * count;

    if (length >= 5 && memcmp(bytes, "HTTP/", 5) == 0)
        transfer->headed = false;
    else if (length > 0 && (*bytes == '\r' || *bytes == '\n'))
        transfer->headed = true;
    if (length > REPLY_HEADER_MAX - transfer->header_length) {
        transfer->oversized = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer->header_length += length;
    return length;
}

static int note_socket(void *data, curl_socket_t fd, curlsocktype purpose)
{
    struct transfer *transfer = data;

    (void)purpose;
    transfer->opened = true;
    transfer->socket = fd;
    return CURL_SOCKOPT_OK;
}

/* Called each time the request is about to go out. libcurl sends a request again by itself when a kept connection
 * closes without an answer; what was sent may have arrived, though: a second code costs the user, and a second
 * confirmation of the same code says nothing. */
static int allow_once(void *data, char *remote, char *local, int remote_port, int local_port)
{
    struct transfer *transfer = data;

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (transfer->connected) {
        transfer->resent = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer->connected = true;
    return CURL_PREREQFUNC_OK;
}

static int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#define SET(option, value) (curl_easy_setopt(transfer->easy, CURLOPT_##option, value) == CURLE_OK)

static bool set_callbacks(struct transfer *transfer)
{
    return SET(ERRORBUFFER, transfer->error) && SET(WRITEFUNCTION, keep_body) && SET(WRITEDATA, transfer) &&
           SET(HEADERFUNCTION, weigh_header) && SET(HEADERDATA, transfer) && SET(SOCKOPTFUNCTION, note_socket) &&
           SET(SOCKOPTDATA, transfer) && SET(PREREQFUNCTION, allow_once) && SET(PREREQDATA, transfer);
}

/* What libcurl would do for a browser, and a login must not: each is said, also where it is the default today. */
static bool set_habits(struct transfer *transfer, const struct http_options *options, bool fresh)
{
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Do not wait for a name lookup that is given up. Older ones do: http.c does not come to that. */
    if (!SET(QUICK_EXIT, 1L))
        return false;
#endif
    return SET(PROTOCOLS_STR, "https") && SET(REDIR_PROTOCOLS_STR, "https") && SET(FOLLOWLOCATION, 0L) &&
           SET(NETRC, (long)CURL_NETRC_IGNORED) && SET(NOSIGNAL, 1L) &&
           SET(HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(ACCEPT_ENCODING, NULL) &&
           SET(SUPPRESS_CONNECT_HEADERS, 1L) && SET(TCP_NODELAY, 1L) &&
           SET(CONNECTTIMEOUT_MS, options->connect_timeout + CONNECT_GRACE_MS) && SET(FRESH_CONNECT, fresh ? 1L : 0L);
}

/* NULL drops libcurl's own default: the bundle file, which takes 20 ms to parse at each login. */
static bool set_trust(struct transfer *transfer, const struct http_options *options)
{
    const char *file = *options->ca_file != '\0' ? options->ca_file : NULL;
    const char *path = *options->ca_path != '\0' ? options->ca_path : NULL;

    if (file == NULL && path == NULL)
        path = DEFAULT_CA_PATH;
    return SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(SSL_VERIFYPEER, 1L) && SET(SSL_VERIFYHOST, 2L) &&
           SET(CAINFO, file) && SET(CAPATH, path) && SET(PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
           SET(PROXY_SSL_VERIFYPEER, 1L) && SET(PROXY_SSL_VERIFYHOST, 2L) && SET(PROXY_CAINFO, file) &&
           SET(PROXY_CAPATH, path);
}

static bool add_header(struct transfer *transfer, const char *name, const char *value)
{
    char line[256];
    struct curl_slist *longer = NULL;

    if (snprintf(line, sizeof line, "%s:%s%s", name, *value == '\0' ? "" : " ", value) < (int)sizeof line)
        longer = curl_slist_append(transfer->headers, line);
    if (longer == NULL)
        return false;
    transfer->headers = longer;
    return true;
}

static bool set_request(struct transfer *transfer, const struct http_options *options,
                        const struct http_request *request)
{
    /* "" is no proxy, NULL would be the environment's. The same holds for the hosts that need none. */
    if (!SET(URL, request->url) || !SET(PROXY, options->proxy) || !SET(NOPROXY, "") ||
        !SET(USERAGENT, "pam-cognito/" PACKAGE_VERSION))
        return false;
    if (request->body == NULL)
        return SET(HTTPGET, 1L);
    /* An empty Expect: libcurl would wait for the server's leave to send a body, and might have to send it twice. */
    return add_header(transfer, "Content-Type", "application/x-amz-json-1.1") &&
           add_header(transfer, "X-Amz-Target", request->target) && add_header(transfer, "Expect", "") &&
           SET(HTTPHEADER, transfer->headers) && SET(POST, 1L) && SET(POSTFIELDSIZE, (long)request->length) &&
           SET(POSTFIELDS, request->body);
}

struct transfer *transfer_new(const struct http_options *options, const struct http_request *request, bool fresh)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);

    if (transfer == NULL)
        return NULL;
    transfer->began = clock_us();
    transfer->body = malloc(BODY_FIRST);
    transfer->room = BODY_FIRST;
    transfer->easy = curl_easy_init();
    if (transfer->body != NULL && transfer->easy != NULL && set_callbacks(transfer) &&
        set_habits(transfer, options, fresh) && set_trust(transfer, options) && set_request(transfer, options, request))
        return transfer;
    transfer_free(&transfer);
    return NULL;
}

void transfer_free(struct transfer **transfer)
{
    if (*transfer == NULL)
        return;
    curl_easy_cleanup((*transfer)->easy);
    curl_slist_free_all((*transfer)->headers);
    free_body(*transfer);
    explicit_bzero(*transfer, sizeof **transfer);
    free(*transfer);
    *transfer = NULL;
}

/* The row of the error table for a transfer that failed. The same code means another thing before the request went out
 * than after. */
static enum error error_by_code(const struct transfer *transfer, CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return ERR_NAME_LOOKUP;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
        return ERR_TLS;
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* Before: the URL's scheme. After: a reply that does not begin like HTTP/1. */
        return transfer->connected ? ERR_UNPARSABLE : ERR_BAD_REQUEST;
    case CURLE_WEIRD_SERVER_REPLY:
        return ERR_UNPARSABLE;
    case CURLE_URL_MALFORMAT:
        return ERR_BAD_REQUEST;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
        return ERR_OVERSIZED;
#endif
    case CURLE_OUT_OF_MEMORY:
        /* libcurl before 8.6 says so too of a header line that is longer than it wants to keep. */
        return transfer->connected ? ERR_OVERSIZED : ERR_NO_MEMORY;
    case CURLE_WRITE_ERROR:
        /* What takes the reply says so: here, of a body that there is no memory for. */
        return ERR_NO_MEMORY;
    case CURLE_OPERATION_TIMEDOUT:
        return transfer->connected ? ERR_DEADLINE : ERR_CONNECT;
    default:
        return transfer->connected ? ERR_TRANSFER : ERR_CONNECT;
    }
}

bool transfer_outcome(const struct transfer *transfer, CURLcode code, struct result *result)
{
    char text[RESULT_SERVER_TEXT_MAX + 1];

    if (code == CURLE_OK && transfer->headed)
        return true;
    if (code == CURLE_OK)
        return result_fail(result, ERR_TRANSFER, "the reply ends within its headers");
    if (transfer->resent)
        return result_fail(result, ERR_TRANSFER, "the kept connection closed unanswered, and nothing is sent twice");
    if (transfer->oversized)
        return result_fail(result, ERR_OVERSIZED, "more than %d bytes of body or %d of headers", REPLY_BODY_MAX,
                           REPLY_HEADER_MAX);
    text_printable(text, sizeof text, *transfer->error != '\0' ? transfer->error : curl_easy_strerror(code));
    return result_fail(result, error_by_code(transfer, code), "%s", text);
}

static int64_t time_of(const struct transfer *transfer, CURLINFO what)
{
    curl_off_t microseconds = 0;

    return curl_easy_getinfo(transfer->easy, what, &microseconds) == CURLE_OK ? (int64_t)microseconds : 0;
}

void transfer_watch(struct transfer *transfer)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;

    if (transfer->reached == 0 && transfer->opened &&
        getpeername(transfer->socket, (struct sockaddr *)&peer, &size) == 0)
        transfer->reached = clock_us() - transfer->began;
}

struct transfer_trace transfer_trace(const struct transfer *transfer)
{
    struct transfer_trace trace = {
        .looked_up = time_of(transfer, CURLINFO_NAMELOOKUP_TIME_T),
        .connected = time_of(transfer, CURLINFO_CONNECT_TIME_T),
        .secured = time_of(transfer, CURLINFO_APPCONNECT_TIME_T),
        .over = clock_us() - transfer->began,
    };
    const char *address = NULL;

    if (trace.connected == 0)
        trace.connected = transfer->reached;

    if (curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK)
        text_printable(trace.address, sizeof trace.address, address);
    curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_PORT, &trace.port);
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &trace.status);
    return trace;
}
