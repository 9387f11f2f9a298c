/* The service `chat`: what a member says goes to all others, and not to itself.
 *
 * The members are the connections of one server.  Joining and leaving cost the
 * same however many there are; a frame costs a tn_send for each other member.
 *
 * What a member has not taken waits in its output buffer, as for any service.
 * One whose buffer has no room for a frame has fallen behind: it is put out, so
 * that nobody waits for it and nothing is kept for it without end.
 *
 * The buffer takes TN_OUT_CAP bytes (128 KiB and a little) beyond those that the
 * kernel took, and is sent from once in a round of the loop, while each other
 * member may say TN_IN_CAP bytes (64 KiB) in a round.  So whoever reads all the
 * time is not put out by one who talks as fast as it can, but may be where several
 * do so at once.
 */
#ifndef TN_CLI_CHAT_H
#define TN_CLI_CHAT_H

#include "serve/server.h"

/* The most members: each may need a buffer at the same time, and who finds none
 * would be put out for nothing. */
#define TN_CLI_CHAT_MEMBERS (TN_BLOCKS < TN_CONNECTIONS ? TN_BLOCKS : TN_CONNECTIONS)

/* All zero, it is a chat without members. */
struct tn_cli_chat {
    uint32_t members;
    uint32_t late;                                /* the last so many of them have fallen behind */
    int64_t dropped;                              /* how many were put out so far */
    struct tn_handle member[TN_CLI_CHAT_MEMBERS]; /* [0 .. members - 1] */
    uint32_t place[TN_CONNECTIONS];               /* of a member's slot: its index above */
};

/* conn is a member from now on: call it at TN_OPENED.  There must be room for it. */
void tn_cli_chat_join(struct tn_cli_chat *c, struct tn_handle conn);

/* conn is a member no more: call it at TN_CLOSED. */
void tn_cli_chat_leave(struct tn_cli_chat *c, struct tn_handle conn);

/* Sends data[0 .. len - 1], which from has said, to all others.  data may be that
 * of a TN_FRAME event: nobody is closed.  Take afterwards, by tn_cli_chat_put_out,
 * those who have fallen behind, before any other call on c. */
void tn_cli_chat_say(struct tn_cli_chat *c, struct tn_server *s, struct tn_handle from,
                     const uint8_t *data, uint32_t len);

/* Takes one who has fallen behind out of the chat and counts it.  Returns 1 and its
 * handle in *conn: the caller closes it.  0 when there is none. */
uint32_t tn_cli_chat_put_out(struct tn_cli_chat *c, struct tn_handle *conn);

#endif
