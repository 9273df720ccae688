/* The network below helper/http.h: the target answers each request at once. */
#ifndef PAM_COGNITO_FUZZ_HTTP_H
#define PAM_COGNITO_FUZZ_HTTP_H

#include "helper/http.h"

/* Asked for each transfer. As http_end(): true with a reply, to be made by secret_set(); or false with the reason in
 * `result`. */
extern bool (*fake_http)(const struct http_request *request, struct http_reply *reply, struct result *result);

#endif
