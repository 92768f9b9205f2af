#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>

/* Swift cannot call amqp_login, because its last arguments depend on the mechanism. */
static inline amqp_rpc_reply_t odcs_amqp_login_plain(
    amqp_connection_state_t state, const char *virtual_host, const char *user, const char *password) {
    return amqp_login(state, virtual_host, 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN, user, password);
}

/* The broker knows the client by its certificate. RabbitMQ does not look at the identity, but librabbitmq
   reports a lack of memory if it is empty. */
static inline amqp_rpc_reply_t odcs_amqp_login_external(amqp_connection_state_t state, const char *virtual_host) {
    return amqp_login(state, virtual_host, 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_EXTERNAL, "odcs");
}
