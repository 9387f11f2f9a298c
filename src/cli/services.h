/* The services that come with the program: what each answers to a frame. */
#ifndef TN_CLI_SERVICES_H
#define TN_CLI_SERVICES_H

#include "serve/server.h"

enum tn_cli_service { TN_CLI_ECHO, TN_CLI_UPPER, TN_CLI_THANKS, TN_CLI_DISCARD };

/* What `thanks` answers. */
#define TN_CLI_THANKS_TEXT "thank you!"
#define TN_CLI_THANKS_LEN 10u

/* Where `upper` puts its answer together. */
struct tn_cli_scratch {
    uint8_t bytes[TN_FRAME_MAX];
};

/* The word of service s; null beyond the last. */
const char *tn_cli_service_name(uint32_t service);

/* Answers the TN_FRAME event ev. */
void tn_cli_answer(uint32_t service, struct tn_server *s, const struct tn_event *ev,
                   struct tn_cli_scratch *scratch);

#endif
