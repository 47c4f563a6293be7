/* Requests as a server reads them: head, then body, then the next request; and heads as a client reads them. */
#include "base/check.h"
#include "proto/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view rest = VIEW(data, size), piece;
    struct http_response response;
    http_response_parse(&response, rest);
    for (;;) {
        struct http_scan scan = {0};
        struct http_request request;
        struct http_body body;
        size_t used = 0, total = 0;
        if (http_scan(&scan, rest, &used) != HTTP_DONE || http_request_parse(&request, VIEW(rest.data, used)) != 0)
            return 0;
        rest = VIEW(rest.data + used, rest.size - used);
        char path[256];
        if (http_path_decode(request.path, path, sizeof(path), &used))
            CHECK(used < sizeof(path));
        enum http_result result = http_body_start(&body, &request, 1000);
        while (result == HTTP_MORE && rest.size > 0) {
            result = http_body_read(&body, &rest, &piece);
            total += piece.size;
        }
        CHECK(total <= 1000);
        if (result != HTTP_DONE)
            return 0;
    }
}
