#include "cli/services.h"

static const char *const service_names[] = {"echo", "upper", "thanks", "discard", "chat", NULL};

_Static_assert(sizeof TN_CLI_THANKS_TEXT == TN_CLI_THANKS_LEN + 1, "the length is the text's");

const char *tn_cli_service_name(uint32_t service)
{
    return service <= TN_CLI_CHAT ? service_names[service] : NULL;
}

/* ASCII only, whatever the locale: bytes above 127 are not touched. */
static void put_upper(uint8_t *to, const uint8_t *from, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        uint8_t c = from[i];

        to[i] = (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
}

struct tn_cli_answer tn_cli_answer(uint32_t service, const uint8_t *data, uint32_t len,
                                   struct tn_cli_scratch *scratch)
{
    struct tn_cli_answer answer = {NULL, 0};

    switch (service) {
    case TN_CLI_ECHO:
        answer.data = data;
        answer.len = len;
        break;
    case TN_CLI_UPPER:
        put_upper(scratch->bytes, data, len);
        answer.data = scratch->bytes;
        answer.len = len;
        break;
    case TN_CLI_THANKS:
        answer.data = (const uint8_t *)TN_CLI_THANKS_TEXT;
        answer.len = TN_CLI_THANKS_LEN;
        break;
    default:
        break;
    }
    return answer;
}
