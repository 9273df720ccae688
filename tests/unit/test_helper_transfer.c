/*
 * One HTTPS request below libcurl: what libcurl refuses while it is told what to do, what it may answer, and the bounds
 * of a reply. The sources are part of this program, so that it can stand between them and libcurl.
 */
#include "unit.h"

#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#include "helper/http.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static long calls, fail_at; /* calls of libcurl so far, and which fails; 0: none */

static bool fails(void)
{
    return ++calls == fail_at;
}

static struct curl_slist *test_append(struct curl_slist *list, const char *line)
{
    return fails() ? NULL : curl_slist_append(list, line);
}

static CURLM *test_multi_init(void)
{
    return fails() ? NULL : curl_multi_init();
}

static CURLMcode test_add(CURLM *multi, CURL *easy)
{
    return fails() ? CURLM_OUT_OF_MEMORY : curl_multi_add_handle(multi, easy);
}

static CURLMcode test_perform(CURLM *multi, int *running)
{
    return fails() ? CURLM_INTERNAL_ERROR : curl_multi_perform(multi, running);
}

static CURLMcode test_poll(CURLM *multi, struct curl_waitfd fds[], unsigned int count, int ms, int *ready)
{
    return fails() ? CURLM_INTERNAL_ERROR : curl_multi_poll(multi, fds, count, ms, ready);
}

/* Each takes one argument of the size of a pointer. */
static CURLcode test_setopt(CURL *easy, CURLoption option, ...)
{
    va_list list;
    void *value;

    va_start(list, option);
    value = va_arg(list, void *);
    va_end(list);
    return fails() ? CURLE_OUT_OF_MEMORY : curl_easy_setopt(easy, option, value);
}

static CURLcode test_getinfo(CURL *easy, CURLINFO what, ...)
{
    va_list list;
    void *value;

    va_start(list, what);
    value = va_arg(list, void *);
    va_end(list);
    return fails() ? CURLE_OUT_OF_MEMORY : curl_easy_getinfo(easy, what, value);
}

static CURLMcode test_multi_setopt(CURLM *multi, CURLMoption option, long value)
{
    return fails() ? CURLM_OUT_OF_MEMORY : curl_multi_setopt(multi, option, value);
}

static CURLcode test_global_init(long flags)
{
    return fails() ? CURLE_FAILED_INIT : curl_global_init(flags);
}

static CURL *test_easy_init(void)
{
    return fails() ? NULL : curl_easy_init();
}

static void *no_calloc(size_t count, size_t size)
{
    return fails() ? NULL : calloc(count, size);
}

/* clang-format off */
#define calloc                no_calloc
#define curl_global_init      test_global_init
#define curl_easy_init        test_easy_init
#define curl_easy_setopt      test_setopt
#define curl_easy_getinfo     test_getinfo
#define curl_multi_setopt     test_multi_setopt
#define curl_slist_append     test_append
#define curl_multi_init       test_multi_init
#define curl_multi_add_handle test_add
#define curl_multi_perform    test_perform
#define curl_multi_poll       test_poll

#include "helper/transfer.c"
#include "helper/http.c"
#undef calloc
/* clang-format on */

/* Nobody listens there, and nobody ever will: RFC 6335 reserves the port. */
#define NOWHERE "https://127.0.0.1:1023/"

static const struct http_options options = {.ca_path = "", .ca_file = "", .proxy = "", .connect_timeout = 2000};
static const struct http_request get = {.url = NOWHERE};
static const struct http_request post = {.url = NOWHERE, .target = "Service.Operation", .body = "{}", .length = 2};

static int set_up(void **state)
{
    (void)state;
    calls = fail_at = 0;
    return 0;
}

static void assert_all_or_nothing(const struct http_request *request, bool fresh)
{
    struct transfer *transfer = NULL;

    for (fail_at = 1; transfer == NULL; fail_at++) {
        calls = 0;
        transfer = transfer_new(&options, request, fresh);
        assert_true((transfer == NULL) == (calls >= fail_at));
    }
    /* That many things are said to libcurl, and each counts. */
    assert_in_range(fail_at, 25, 100);
    transfer_free(&transfer);
    assert_null(transfer);
}

static void what_libcurl_refuses_is_no_transfer(void **state)
{
    (void)state;
    assert_all_or_nothing(&get, false);
    assert_all_or_nothing(&post, true);
}

static void a_header_that_is_too_long(void **state)
{
    char target[512];
    const struct http_request request = {.url = NOWHERE, .target = target, .body = "{}", .length = 2};

    (void)state;
    memset(target, 'x', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    assert_null(transfer_new(&options, &request, false));
}

static void replies_have_bounds(void **state)
{
    static char bytes[REPLY_BODY_MAX + 1];
    struct transfer *transfer = transfer_new(&options, &get, false);

    (void)state;
    assert_int_equal(keep_body(bytes, 1, REPLY_BODY_MAX - 1, transfer), REPLY_BODY_MAX - 1);
    assert_int_equal(keep_body(bytes, 1, 1, transfer), 1);
    assert_int_equal(transfer->length, REPLY_BODY_MAX);
    assert_false(transfer->oversized);
    assert_int_equal(keep_body(bytes, 1, 1, transfer), CURL_WRITEFUNC_ERROR);
    assert_true(transfer->oversized);
    transfer->oversized = false;
    assert_int_equal(weigh_header(bytes, 1, REPLY_HEADER_MAX, transfer), REPLY_HEADER_MAX);
    assert_int_equal(weigh_header(bytes, 1, 1, transfer), CURL_WRITEFUNC_ERROR);
    assert_true(transfer->oversized);
    transfer_free(&transfer);
}

/* In pieces of every length up to one that is longer than all room there was. */
static void replies_come_in_pieces(void **state)
{
    static char bytes[REPLY_BODY_MAX];
    struct transfer *transfer = transfer_new(&options, &get, false);
    size_t length = 0;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 2654435761U >> 24);
    for (size_t piece = 1; length + piece <= sizeof bytes; piece = piece * 3 + 1) {
        assert_int_equal(keep_body(bytes + length, 1, piece, transfer), piece);
        length += piece;
        assert_int_equal(transfer->length, length);
        assert_true(transfer->room >= length && transfer->room <= REPLY_BODY_MAX);
        assert_memory_equal(transfer->body, bytes, length);
    }
    assert_true(length > REPLY_BODY_MAX / 4);
    transfer_free(&transfer);
    assert_null(transfer);
}

/* An interim reply has headers of its own, and the real one follows. */
static void headers_end_with_an_empty_line(void **state)
{
    static const struct {
        const char *line;
        bool headed;
    } lines[] = {
        {"HTTP/1.1 100 Continue\r\n", false}, {"\r\n", true}, {"HTTP/1.1 200 OK\r\n", false},
        {"Content-Length: 2\r\n", false},     {"", false},    {"\n", true},
    };
    struct transfer *transfer = transfer_new(&options, &get, false);

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        char line[64];

        strcpy(line, lines[i].line);
        assert_int_equal(weigh_header(line, 1, strlen(line), transfer), strlen(line));
        assert_int_equal(transfer->headed, lines[i].headed);
    }
    transfer_free(&transfer);
}

static void nothing_is_sent_twice(void **state)
{
    struct transfer *transfer = transfer_new(&options, &post, false);
    struct result result;

    (void)state;
    assert_int_equal(note_socket(transfer, 3, CURLSOCKTYPE_IPCXN), CURL_SOCKOPT_OK);
    assert_int_equal(allow_once(transfer, NULL, NULL, 443, 1024), CURL_PREREQFUNC_OK);
    assert_int_equal(allow_once(transfer, NULL, NULL, 443, 1024), CURL_PREREQFUNC_ABORT);
    assert_false(transfer_outcome(transfer, CURLE_ABORTED_BY_CALLBACK, &result));
    assert_int_equal(result.error, ERR_TRANSFER);
    transfer_free(&transfer);
}

/* What an error means before the request has gone out, and after. */
static void errors_are_told_apart(void **state)
{
    static const struct {
        CURLcode code;
        enum error before, after;
    } rows[] = {
        {CURLE_COULDNT_RESOLVE_HOST, ERR_NAME_LOOKUP, ERR_NAME_LOOKUP},
        {CURLE_COULDNT_RESOLVE_PROXY, ERR_NAME_LOOKUP, ERR_NAME_LOOKUP},
        {CURLE_SSL_CONNECT_ERROR, ERR_TLS, ERR_TLS},
        {CURLE_PEER_FAILED_VERIFICATION, ERR_TLS, ERR_TLS},
        {CURLE_SSL_CACERT_BADFILE, ERR_TLS, ERR_TLS},
        {CURLE_SSL_CERTPROBLEM, ERR_TLS, ERR_TLS},
        {CURLE_SSL_CIPHER, ERR_TLS, ERR_TLS},
        {CURLE_SSL_ENGINE_INITFAILED, ERR_TLS, ERR_TLS},
        {CURLE_UNSUPPORTED_PROTOCOL, ERR_BAD_REQUEST, ERR_UNPARSABLE},
        {CURLE_WEIRD_SERVER_REPLY, ERR_UNPARSABLE, ERR_UNPARSABLE},
        {CURLE_URL_MALFORMAT, ERR_BAD_REQUEST, ERR_BAD_REQUEST},
        {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY, ERR_OVERSIZED},
        {CURLE_WRITE_ERROR, ERR_NO_MEMORY, ERR_NO_MEMORY},
        {CURLE_OPERATION_TIMEDOUT, ERR_CONNECT, ERR_DEADLINE},
        {CURLE_COULDNT_CONNECT, ERR_CONNECT, ERR_TRANSFER},
        {CURLE_RECV_ERROR, ERR_CONNECT, ERR_TRANSFER},
    };
    struct transfer *transfer = transfer_new(&options, &get, false);
    struct result result;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int after = 0; after < 2; after++) {
            transfer->connected = after;
            strcpy(transfer->error, i % 2 == 0 ? "" : "what libcurl says \033[2J");
            assert_false(transfer_outcome(transfer, rows[i].code, &result));
            assert_int_equal(result.error, after ? rows[i].after : rows[i].before);
            assert_true(*result.detail != '\0' && strchr(result.detail, '\033') == NULL);
        }
    assert_false(transfer_outcome(transfer, CURLE_OK, &result));
    assert_int_equal(result.error, ERR_TRANSFER);
    transfer->headed = true;
    assert_true(transfer_outcome(transfer, CURLE_OK, &result));
    transfer->oversized = true;
    assert_false(transfer_outcome(transfer, CURLE_WRITE_ERROR, &result));
    assert_int_equal(result.error, ERR_OVERSIZED);
    transfer_free(&transfer);
}

/* Of a leak checker, if there is one: what is allocated in between may be left. */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

/* A whole request to where nobody listens, while the nth call of libcurl fails. A transfer that had begun then may have
 * a thread that looks a name up, so it is left alone: see http_free(). */
static void libcurl_fails_anywhere(void **state)
{
    int peer[2];
    bool reached = true;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, peer), 0);
    if (__lsan_disable != NULL)
        __lsan_disable();
    for (fail_at = 1; reached; fail_at++) {
        struct http_reply reply = {.status = 0};
        struct http *http;
        struct result result;

        calls = 0;
        result_begin(&result);
        http = http_new(&options, peer[0]);
        if (http != NULL && http_begin(http, &post, deadline_in(2000), &result)) {
            assert_false(http_finish(http, deadline_in(2000), &reply, &result));
            assert_int_equal(reply.status, 0);
        }
        assert_true(result.error == ERR_SYSTEM || result.error == ERR_CONNECT);
        reached = calls >= fail_at;
        assert_true(reached || result.error == ERR_CONNECT);
        http_free(&http);
        assert_null(http);
    }
    if (__lsan_enable != NULL)
        __lsan_enable();
    close(peer[0]);
    close(peer[1]);
}

/* A server that takes connections and says nothing. Returns its socket. */
static int listen_in_silence(char url[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int server = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(server, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &size), 0);
    snprintf(url, 64, "https://127.0.0.1:%d/", ntohs(address.sin_port));
    return server;
}

/* Whoever asked is gone, or speaks although it is not his turn: nothing goes on for him. */
static void nobody_waits_any_more(void **state)
{
    char url[64];
    int peer[2], server = listen_in_silence(url);
    struct http_reply reply;
    struct http *http;
    struct result result;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, peer), 0);
    http = http_new(&options, peer[0]);
    assert_false(http_peer_stirs(http));
    assert_int_equal(write(peer[1], "x", 1), 1);
    assert_true(http_peer_stirs(http));
    assert_true(http_begin(http, &(struct http_request){.url = url}, deadline_in(20000), &result));
    assert_false(http_finish(http, deadline_in(20000), &reply, &result));
    assert_int_equal(result.error, ERR_HELPER_LOST);
    http_free(&http);
    close(peer[0]);
    close(peer[1]);
    close(server);
}

static void deadlines_are_named(void **state)
{
    static const struct {
        bool opened, connected;
        int64_t connect_ms, end_ms;
        enum error error;
    } rows[] = {
        {false, false, -1, -1, ERR_NAME_LOOKUP},      {true, true, 1000, -1, ERR_DEADLINE},
        {false, false, -1, 1000000, ERR_NAME_LOOKUP}, {true, false, -1, 1000000, ERR_CONNECT},
        {true, true, -1, 1000000, ERR_SYSTEM},        {true, false, 1000000, 1000000, ERR_SYSTEM},
    };
    struct result result;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct transfer *transfer = transfer_new(&options, &get, false);
        const struct http http = {.transfer = transfer,
                                  .connect_by = deadline_in(rows[i].connect_ms),
                                  .end_by = deadline_in(rows[i].end_ms),
                                  .late = true};

        transfer->opened = rows[i].opened;
        transfer->connected = rows[i].connected;
        assert_false(refuse_late(&http, &result));
        assert_int_equal(result.error, rows[i].error);
        transfer_free(&transfer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_libcurl_refuses_is_no_transfer, set_up),
        cmocka_unit_test_setup(a_header_that_is_too_long, set_up),
        cmocka_unit_test_setup(replies_have_bounds, set_up),
        cmocka_unit_test_setup(replies_come_in_pieces, set_up),
        cmocka_unit_test_setup(headers_end_with_an_empty_line, set_up),
        cmocka_unit_test_setup(nothing_is_sent_twice, set_up),
        cmocka_unit_test_setup(errors_are_told_apart, set_up),
        cmocka_unit_test_setup(libcurl_fails_anywhere, set_up),
        cmocka_unit_test_setup(nobody_waits_any_more, set_up),
        cmocka_unit_test_setup(deadlines_are_named, set_up),
    };

    return cmocka_run_group_tests_name("transfer", tests, NULL, NULL);
}
