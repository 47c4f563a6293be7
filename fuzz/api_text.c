/* A client's text: parsed into documents, and each asked for the elements that requests have. */
#include "base/check.h"
#include "control/api_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct element elements[] = {
        {"transaction", ELEMENT_STRING, true}, {"id", ELEMENT_POSITIVE, false}, {"trickle", ELEMENT_BOOL, false},
        {"candidates", ELEMENT_ARRAY, false},  {"body", ELEMENT_OBJECT, false}};
    static struct parsed text;
    char reason[PARSE_REASON_ROOM] = "";
    if (api_parse(&text, VIEW(data, size), reason) != PARSE_OK) {
        CHECK(text.count == 0 && reason[0] != '\0');
        return 0;
    }
    CHECK(text.count > 0 && text.count <= DOCUMENTS_PER_TEXT_MAX);
    for (uint32_t i = 0; i < text.count; i++) {
        const struct element *bad;
        int code = elements_check(text.documents[i], elements, ARRAY_COUNT(elements), &bad);
        CHECK((code == 0) == (bad == NULL));
        (void)element_integer(text.documents[i], "session_id");
        json_decref(text.documents[i]);
    }
    return 0;
}
