/* The command line under a fuzzer: the words of an input, one a line, are the
 * arguments behind the program's name.  What must hold, or the program aborts:
 *
 *   what is accepted is within the ranges of cli/arguments.h
 *   what is refused has a reason, and names what was given or a known option
 *   the same words give the same answer
 *   no word is read beyond its end: memory ends right behind the last
 */
#include "cli/arguments.h"
#include "cli/chat.h"
#include "cli/services.h"
#include "harness.h"

#include <string.h>

#define LONGEST 512u
#define WORDS 24

static char *words_end;

void harness_start(void)
{
    words_end = (char *)harness_guarded_end(LONGEST);
}

/* A word of this command line, or one of the program's own. */
static int is_known(const char *text, const char *from)
{
    return (text >= from && text < words_end) || strncmp(text, "--", 2) == 0;
}

static void check_accepted(const struct tn_cli_arguments *a, const char *from)
{
    uint32_t built = 0;

    harness_expect(a->command <= TN_CLI_VERSION, "a command that there is");
    if (a->command != TN_CLI_SERVE)
        return;
    harness_expect(a->listeners >= 1 && a->listeners <= TN_LISTENERS, "one listener at least");
    for (uint32_t i = 0; i < a->listeners; i++)
        harness_expect((a->listen[i] >= from && a->listen[i] < words_end) ||
                           strcmp(a->listen[i], "127.0.0.1:9999") == 0,
                       "an address that was given, or the default");
    harness_expect(tn_cli_model_name(a->model, &built) != NULL && built == 1,
                   "a model that is built");
    harness_expect(tn_cli_framing_name(a->framing) != NULL, "a framing that there is");
    harness_expect(a->max_connections >= 1 && a->max_connections <= TN_CONNECTIONS,
                   "connections within the table");
    harness_expect(a->service != TN_CLI_CHAT ||
                       (tn_cli_event_model(a->model) != TN_NONE && a->workers == 0 &&
                        a->max_connections <= TN_CLI_CHAT_MEMBERS),
                   "a chat has one engine with room for all its members");
    harness_expect(a->frame_max >= 1 && a->frame_max <= TN_FRAME_MAX, "frames within the buffers");
    harness_expect(a->idle_ms <= TN_CLI_DURATION_MAX && a->drain_ms <= TN_CLI_DURATION_MAX,
                   "durations that fit");
    harness_expect(a->from_stdin <= 1 && a->verbose <= 1, "flags are 0 or 1");
}

static void check_words(int argc, const char *const *argv, const char *from)
{
    struct tn_cli_arguments a, again;
    struct tn_cli_complaint c = {NULL, NULL, NULL}, same;
    int32_t result = tn_cli_parse(&a, argc, argv, &c);

    harness_expect(result == 1 || result == TN_EINVAL, "accepted or refused");
    if (result == 1) {
        check_accepted(&a, from);
        harness_expect(tn_cli_parse(&again, argc, argv, &same) == 1 &&
                           memcmp(&a, &again, sizeof a) == 0,
                       "the same words, the same answer");
        return;
    }
    harness_expect(c.why != NULL && c.why[0] != '\0', "a refusal has a reason");
    harness_expect(c.option == NULL || is_known(c.option, from), "a refusal names a word");
    harness_expect(c.value == NULL || is_known(c.value, from), "a refusal shows a value");
}

void harness_run(const uint8_t *bytes, size_t n)
{
    const char *argv[WORDS + 1] = {"tenon"};
    char *from, *word;
    int argc = 1;

    if (n >= LONGEST)
        return;
    from = words_end - n - 1;
    memcpy(from, bytes, n);
    words_end[-1] = '\0';
    for (word = from; word < words_end && argc < WORDS; word += strlen(word) + 1) {
        word[strcspn(word, "\n")] = '\0';
        argv[argc++] = word;
    }
    check_words(n == 0 ? 1 : argc, argv, from);
}
