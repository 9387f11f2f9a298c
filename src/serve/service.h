/* A service with callbacks, over the pull engine.
 *
 * Not proved: function pointers are kept out of what is.  It is a loop around
 * tn_next, short enough to be copied into a program that wants to wait for
 * something else too.
 */
#ifndef TN_SERVE_SERVICE_H
#define TN_SERVE_SERVICE_H

#include "serve/server.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Any of them may be null: nothing is done then.  Each may call the tn_
 * functions of the server, and tn_drain to end it; what tn_close is called on
 * gets no closed.  context is what tn_serve was given. */
struct tn_service {
    void (*opened)(void *context, struct tn_server *s, struct tn_handle conn);
    /* data is valid until the callback returns or closes the connection. */
    void (*frame)(void *context, struct tn_server *s, struct tn_handle conn, const uint8_t *data,
                  uint32_t len);
    /* reason is an enum tn_reason; conn is stale. */
    void (*closed)(void *context, struct tn_server *s, struct tn_handle conn, uint32_t reason);
    /* The watched descriptor number watch can be read. */
    void (*ready)(void *context, struct tn_server *s, uint32_t watch);
    /* The timer number timer is due. */
    void (*timer)(void *context, struct tn_server *s, uint32_t timer);
};

/* Serves until a drain has ended: returns TN_EOF then, or TN_ESYSTEM. */
int32_t tn_serve(struct tn_server *s, const struct tn_service *service, void *context);

#ifdef __cplusplus
}
#endif

#endif
