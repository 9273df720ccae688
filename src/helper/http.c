#include "helper/http.h"

#include "common/text.h"

#include <errno.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http {
    const struct http_options *options;
    int peer;
    CURLM *multi;
    struct transfer *transfer; /* the one under way, or NULL */
    deadline_t connect_by, end_by;
    bool driven; /* libcurl had it in its hands, and may have begun to look the name up */
    bool over;
    bool late;
    CURLcode code; /* what became of it, once it is over and not late */
    curl_socket_t idle;
    bool prepared; /* libcrypto is */
    bool left_a_thread;
    struct transfer_trace trace; /* of the last one */
};

static CURLM *new_multi(void)
{
    CURLM *multi = curl_multi_init();

    if (multi != NULL && curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1L) != CURLM_OK) {
        curl_multi_cleanup(multi);
        multi = NULL;
    }
    return multi;
}

struct http *http_new(const struct http_options *options, int peer)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL)
        return NULL;
    *http = (struct http){.options = options, .peer = peer, .idle = CURL_SOCKET_BAD};
    if (curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
        http->multi = new_multi();
        if (http->multi != NULL)
            return http;
        curl_global_cleanup();
    }
    free(http);
    return NULL;
}

/* Ends the transfer, over or not. Cleaning up a handle whose name lookup hangs waits for the resolver's thread, for
 * seconds; so such a one is left alone for good, and a new multi handle takes the place of its own. */
static void release_transfer(struct http *http)
{
    struct transfer *transfer = http->transfer;

    if (transfer == NULL)
        return;
    if (!http->driven || http->over || transfer->opened || transfer->connected) {
        curl_multi_remove_handle(http->multi, transfer->easy);
        transfer_free(&http->transfer);
        return;
    }
    http->left_a_thread = true;
    http->transfer = NULL;
    http->multi = new_multi();
    http->idle = CURL_SOCKET_BAD;
}

bool http_free(struct http **http)
{
    bool ended;

    if (*http == NULL)
        return true;
    release_transfer(*http);
    ended = !(*http)->left_a_thread;
    if (ended) {
        curl_multi_cleanup((*http)->multi);
        curl_global_cleanup();
    }
    free(*http);
    *http = NULL;
    return ended;
}

static bool stirs(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN | POLLRDHUP};
    int ready;

    do
        ready = poll(&poller, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready != 0;
}

bool http_peer_stirs(const struct http *http)
{
    return stirs(http->peer);
}

bool http_begin(struct http *http, const struct http_request *request, deadline_t deadline, struct result *result)
{
    /* Between two requests a server has nothing to say but that it closes: close_notify, FIN or reset. libcurl looks
     * too, but what it misses it finds out by sending, and then it is too late to send on another connection. */
    bool fresh = http->idle == CURL_SOCKET_BAD || stirs(http->idle);

    http->idle = CURL_SOCKET_BAD;
    http->driven = false;
    http->over = false;
    http->late = false;
    http->end_by = deadline;
    http->connect_by = deadline_in(http->options->connect_timeout);
    http->transfer = http->multi == NULL ? NULL : transfer_new(http->options, request, fresh);
    if (http->transfer == NULL)
        return result_fail(result, ERR_SYSTEM, "libcurl cannot set the transfer up");
    if (curl_multi_add_handle(http->multi, http->transfer->easy) == CURLM_OK)
        return true;
    transfer_free(&http->transfer);
    return result_fail(result, ERR_SYSTEM, "libcurl cannot start the transfer");
}

static void take_outcome(struct http *http)
{
    int left;
    const CURLMsg *message = curl_multi_info_read(http->multi, &left);

    if (message == NULL || message->msg != CURLMSG_DONE)
        return;
    http->over = true;
    http->code = message->data.result;
    /* While the handle is in the multi still: the connection belongs to that. None if it was not kept. */
    if (curl_easy_getinfo(http->transfer->easy, CURLINFO_ACTIVESOCKET, &http->idle) != CURLE_OK)
        http->idle = CURL_SOCKET_BAD;
}

/* What libcrypto makes ready when it is first needed: its random numbers, the group of most handshakes, and the lists
 * of its algorithms: with one of a kind come all of that kind. While the network is waited for, that costs nobody any
 * time. All of it is needed in each handshake. */
static void prepare_libcrypto(struct http *http)
{
    if (http->prepared)
        return;
    http->prepared = true;
    EVP_PKEY_free(EVP_PKEY_Q_keygen(NULL, NULL, "X25519"));
    EVP_MD_free(EVP_MD_fetch(NULL, "SHA256", NULL));
    OSSL_DECODER_free(OSSL_DECODER_fetch(NULL, "RSA", NULL));
    EVP_SIGNATURE_free(EVP_SIGNATURE_fetch(NULL, "RSA", NULL));
    EVP_KEYEXCH_free(EVP_KEYEXCH_fetch(NULL, "X25519", NULL));
    EVP_KDF_free(EVP_KDF_fetch(NULL, "HKDF", NULL));
    ERR_clear_error();
}

bool http_step(struct http *http)
{
    struct curl_waitfd peer = {.fd = http->peer, .events = CURL_WAIT_POLLIN};
    deadline_t until;
    CURLMcode code;
    int running;

    http->driven = true;
    code = curl_multi_perform(http->multi, &running);
    if (http->options->watched)
        transfer_watch(http->transfer);
    take_outcome(http);
    if (http->over)
        return true;
    if (http->transfer->opened)
        prepare_libcrypto(http);
    until = http->transfer->connected ? http->end_by : deadline_first(http->connect_by, http->end_by);
    if (code == CURLM_OK)
        code = curl_multi_poll(http->multi, &peer, 1, deadline_left(until), NULL);
    /* The deadlines are kept here and not by libcurl, which would wait for the resolver's thread then. So it must not
     * be called once more after one of them. */
    if (code != CURLM_OK || deadline_left(until) == 0)
        http->late = true;
    return http->late;
}

/* Says what did not come in time: where a login waits for a name, its administrator has to look at another place than
 * where it waits for an answer. */
static bool refuse_late(const struct http *http, struct result *result)
{
    const struct transfer *transfer = http->transfer;
    bool ended = deadline_left(http->end_by) == 0;
    const char *time = ended ? "request_timeout" : "connect_timeout";

    if (transfer->connected && ended)
        return result_fail(result, ERR_DEADLINE, "no whole reply within request_timeout");
    if (transfer->connected || (!ended && deadline_left(http->connect_by) > 0))
        return result_fail(result, ERR_SYSTEM, "libcurl cannot go on with the transfer");
    if (!transfer->opened)
        return result_fail(result, ERR_NAME_LOOKUP, "no answer from the name server within %s", time);
    return result_fail(result, ERR_CONNECT, "no connection within %s", time);
}

/* The first header of that name, printable; "" if there is none. */
static void copy_header(CURL *easy, const char *name, char *out, size_t size)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        header = NULL;
    text_printable(out, size, header == NULL ? "" : header->value);
}

/* How many headers of that name there are; *value is the first one's, "" if there is none. */
static size_t count_headers(CURL *easy, const char *name, const char **value)
{
    struct curl_header *header = NULL;

    *value = "";
    if (curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return 0;
    *value = header->value;
    return header->amount;
}

/* libcurl reads on where lengths contradict each other, or are none: RFC 9112, section 6.3, has the reader give up. */
static bool has_one_length(const struct transfer *transfer)
{
    const char *coding, *length;
    size_t codings = count_headers(transfer->easy, "Transfer-Encoding", &coding);
    size_t lengths = count_headers(transfer->easy, "Content-Length", &length);
    char *end;

    if (codings + lengths > 1)
        return false;
    if (lengths == 0)
        return true;
    return *length >= '0' && *length <= '9' && strtoull(length, &end, 10) == transfer->length && *end == '\0';
}

/* A page that a proxy or a web ACL shows in the place of an answer may well be JSON, but seldom says so. */
static bool is_json(const char *type)
{
    static const char *const types[] = {"application/x-amz-json-1.1", "application/json", "application/jwk-set+json"};
    size_t length = strcspn(type, "; ");

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i]) == length && strncasecmp(types[i], type, length) == 0)
            return true;
    return false;
}

/* Refuses what libcurl takes for a reply although it is none of Cognito's. */
static bool check_reply(const struct transfer *transfer, long status, struct result *result)
{
    const char *type;
    size_t types = count_headers(transfer->easy, "Content-Type", &type);
    long version = CURL_HTTP_VERSION_NONE;
    char shown[64];

    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    if (version != CURL_HTTP_VERSION_1_1 && version != CURL_HTTP_VERSION_1_0)
        return result_fail(result, ERR_UNPARSABLE, "a reply of another version of HTTP");
    if (!has_one_length(transfer))
        return result_fail(result, ERR_UNPARSABLE, "the reply's lengths contradict each other");
    if (status == 200 && (types != 1 || !is_json(type)))
        return result_fail(result, ERR_UNPARSABLE, "Content-Type=%s", text_log_value(shown, sizeof shown, type));
    return true;
}

static bool read_reply(struct transfer *transfer, struct http_reply *reply, struct result *result)
{
    copy_header(transfer->easy, "x-amzn-RequestId", reply->request_id, sizeof reply->request_id);
    copy_header(transfer->easy, "x-amzn-errortype", reply->error_type, sizeof reply->error_type);
    if (curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &reply->status) != CURLE_OK)
        return result_fail(result, ERR_SYSTEM, "libcurl knows no status of the reply");
    if (!check_reply(transfer, reply->status, result))
        return false;
    return secret_set(&reply->body, transfer->body, transfer->length) || result_fail(result, ERR_NO_MEMORY, "reply");
}

bool http_end(struct http *http, struct http_reply *reply, struct result *result)
{
    bool ended = false;

    *reply = (struct http_reply){.status = 0};
    http->trace = transfer_trace(http->transfer);
    if (http->late)
        refuse_late(http, result);
    else if (transfer_outcome(http->transfer, http->code, result))
        ended = read_reply(http->transfer, reply, result);
    release_transfer(http);
    return ended;
}

void http_renew(struct http *http)
{
    http->idle = CURL_SOCKET_BAD;
}

const struct transfer_trace *http_trace(const struct http *http)
{
    return &http->trace;
}

bool http_finish(struct http *http, deadline_t deadline, struct http_reply *reply, struct result *result)
{
    http->end_by = deadline_first(http->end_by, deadline);
    while (!http_step(http)) {
        if (!http_peer_stirs(http))
            continue;
        /* One request at a time: whatever this is, the one under way has nobody who waits for it any more. */
        *reply = (struct http_reply){.status = 0};
        release_transfer(http);
        return result_fail(result, ERR_HELPER_LOST, "the module went away, or spoke out of turn");
    }
    return http_end(http, reply, result);
}

void http_reply_free(struct http_reply *reply)
{
    secret_free(&reply->body);
    *reply = (struct http_reply){.status = 0};
}
