/* The services that come with the program: what each answers to a frame.
 * Written once; whatever the model, its caller sends the answer.  TN_CLI_CHAT answers
 * nobody: it tells the others (cli/chat.h). */
#ifndef TN_CLI_SERVICES_H
#define TN_CLI_SERVICES_H

#include "core/base.h"

enum tn_cli_service { TN_CLI_ECHO, TN_CLI_UPPER, TN_CLI_THANKS, TN_CLI_DISCARD, TN_CLI_CHAT };

/* What `thanks` answers. */
#define TN_CLI_THANKS_TEXT "thank you!"
#define TN_CLI_THANKS_LEN 10u

/* Where `upper` puts its answer together. */
struct tn_cli_scratch {
    uint8_t bytes[TN_FRAME_MAX];
};

struct tn_cli_answer {
    const uint8_t *data; /* null: there is no answer */
    uint32_t len;
};

/* The word of service s; null beyond the last. */
const char *tn_cli_service_name(uint32_t service);

/* The answer to the frame data[0 .. len - 1].  It lies in data, in scratch or in
 * a constant. */
struct tn_cli_answer tn_cli_answer(uint32_t service, const uint8_t *data, uint32_t len,
                                   struct tn_cli_scratch *scratch);

#endif
