import CRabbitMQ
import ComposeStore
import Deliveries
import ForeignText
import Foundation
import SystemPackage

/// A RabbitMQ connection publishes events to one exchange by AMQP 0-9-1, and waits for the
/// publisher confirms of the broker.
///
/// The headers are those of the messages of fedora-messaging, so its consumers read them. The id of
/// a message is a UUID that follows from the event.
final class RabbitMQConnection: BrokerConnection {
    private static let channel: amqp_channel_t = 1

    private let settings: RabbitMQExchange
    private let origin: String
    private let unrouted: UnroutedLog
    private let state: amqp_connection_state_t
    /// The delivery tag of the next message. The broker counts in the same way.
    private var nextTag: UInt64 = 1

    init(_ settings: RabbitMQExchange, origin: String, unrouted: UnroutedLog, until deadline: Deadline) throws(BrokerProblem) {
        self.settings = settings
        self.origin = origin
        self.unrouted = unrouted
        state = try Self.open(settings, until: deadline)
        // If one of these throws, the object is complete, and `deinit` frees the connection.
        try login(until: deadline)
        try prepareChannel(until: deadline)
    }

    deinit {
        // The socket is closed without the farewell of AMQP, for which a broker that hangs would be
        // waited for.
        amqp_destroy_connection(state)
    }

    // MARK: Connecting

    /// A connection that is being opened.
    private struct Opening: @unchecked Sendable {  // the thread that opens it is its only user meanwhile
        let state: amqp_connection_state_t
        let socket: OpaquePointer
        var status = OK
    }

    /// Opens the socket of a connection.
    private static func open(_ settings: RabbitMQExchange, until deadline: Deadline) throws(BrokerProblem) -> amqp_connection_state_t {
        guard let state = amqp_new_connection() else { throw BrokerProblem("No memory is left for a connection.") }
        let socket: OpaquePointer
        let time: timeval
        do throws(BrokerProblem) {
            socket = try self.socket(of: state, settings)
            time = try timeval(deadline, settings.server)
        } catch {
            amqp_destroy_connection(state)
            throw error
        }
        // The time is that for connecting. A name is looked up before.
        let opening = Opening(state: state, socket: socket)
        let opened = SlowCall<Opening>.value(until: deadline, late: { amqp_destroy_connection($0.state) }) {
            var (opening, time) = (opening, time)
            opening.status = amqp_socket_open_noblock(opening.socket, settings.server.host, CInt(settings.server.port), &time)
            return opening
        }
        guard let opened else { throw BrokerProblem("\(settings.server) cannot be reached: no answer in time.") }
        guard opened.status == OK else {
            amqp_destroy_connection(opened.state)
            throw BrokerProblem("\(settings.server) cannot be reached: \(text(opened.status)).")
        }
        return opened.state
    }

    private static func socket(of state: amqp_connection_state_t, _ settings: RabbitMQExchange) throws(BrokerProblem) -> OpaquePointer {
        guard settings.server.isEncrypted else {
            guard let socket = amqp_tcp_socket_new(state) else { throw BrokerProblem("No memory is left for a socket.") }
            return socket
        }
        guard let socket = amqp_ssl_socket_new(state) else { throw BrokerProblem("No memory is left for a socket.") }
        amqp_ssl_socket_set_verify_peer(socket, 1)
        amqp_ssl_socket_set_verify_hostname(socket, 1)
        let ca = settings.login.ca ?? BrokerLogin.systemAuthorities
        guard amqp_ssl_socket_set_cacert(socket, ca.string) == OK else {
            throw BrokerProblem("The file with the certificate authorities cannot be read: \(ca.string).")
        }
        if let certificate = settings.login.certificate, let key = settings.login.key {
            guard amqp_ssl_socket_set_key(socket, certificate.string, key.string) == OK else {
                throw BrokerProblem("The client certificate or its key cannot be read.")
            }
        }
        return socket
    }

    private func login(until deadline: Deadline) throws(BrokerProblem) {
        var time = try Self.timeval(deadline, settings.server)
        amqp_set_handshake_timeout(state, &time)
        amqp_set_rpc_timeout(state, &time)
        let reply: amqp_rpc_reply_t
        if settings.login.certificate != nil, settings.login.user == nil {
            // The certificate names the account.
            reply = odcs_amqp_login_external(state, settings.virtualHost)
        } else {
            reply = odcs_amqp_login_plain(
                state, settings.virtualHost, settings.login.user ?? "guest",
                settings.login.user == nil ? "guest" : try settings.login.password())
        }
        try check(reply, "The login at \(settings.server) failed")
    }

    private func prepareChannel(until deadline: Deadline) throws(BrokerProblem) {
        var time = try Self.timeval(deadline, settings.server)
        amqp_set_rpc_timeout(state, &time)
        amqp_channel_open(state, Self.channel)
        try check(amqp_get_rpc_reply(state), "\(settings.server) gave no channel")
        amqp_confirm_select(state, Self.channel)
        try check(amqp_get_rpc_reply(state), "\(settings.server) gives no publisher confirms")
    }

    private static func timeval(_ deadline: Deadline, _ server: BrokerServer) throws(BrokerProblem) -> timeval {
        guard let left = deadline.left else { throw BrokerProblem("\(server) did not answer in time.") }
        return Foundation.timeval(left)
    }

    // MARK: Publishing

    func send(_ messages: [OutgoingEvent], until deadline: Deadline) -> SentMessages {
        var confirms = PublisherConfirms(first: nextTag, count: messages.count)
        do throws(BrokerProblem) {
            let watch = SocketGuard(amqp_get_sockfd(state), after: deadline.left ?? .zero)
            var failed: CInt?
            for message in messages where failed == nil {
                let status = publish(message)
                if status != OK { failed = status }
                nextTag += 1
            }
            if watch.end() { throw BrokerProblem("\(settings.server) took no messages in time.") }
            // After a failed write, the frames that came before say why.
            while failed != nil || !confirms.isComplete {
                guard let slice = deadline.slice else { throw BrokerProblem("\(settings.server) did not confirm the messages in time.") }
                guard let frame = try nextFrame(within: slice) else {
                    if let failed { throw BrokerProblem("The connection to \(settings.server) broke: \(Self.text(failed)).") }
                    continue
                }
                try note(frame, in: &confirms)
            }
        } catch {
            return SentMessages(answers: answers(confirms, messages), problem: error)
        }
        amqp_maybe_release_buffers(state)
        return SentMessages(answers: answers(confirms, messages))
    }

    private func answers(_ confirms: PublisherConfirms, _ messages: [OutgoingEvent]) -> [Int: DeliveryAnswer] {
        let returned = messages.indices.filter { confirms.returned.contains(uuid(of: messages[$0])) }
        if !returned.isEmpty { unrouted.note(returned.count) }
        var answers: [Int: DeliveryAnswer] = [:]
        for (place, isTaken) in confirms.answers {
            if !isTaken {
                answers[place] = .busy("It could not store the message.", after: nil)
            } else if settings.isMandatory, returned.contains(place) {
                answers[place] = .busy("No queue gets messages with the topic \(settings.topic).", after: nil)
            } else {
                answers[place] = .taken
            }
        }
        return answers
    }

    private func uuid(of message: OutgoingEvent) -> String { MessageUUID.text(of: message.messageID, from: origin) }

    private func publish(_ message: OutgoingEvent) -> CInt {
        let arena = ByteArena()
        var headers = [
            arena.entry("fedora_messaging_schema", "base.message"),
            arena.entry("fedora_messaging_severity", 20),
            arena.entry("sent-at", Date.now.formatted(.iso8601)),
            arena.entry("odcs-event", message.messageID),
            arena.entry("odcs-type", message.name.rawValue),
            arena.entry("odcs-object", message.object.description),
        ]
        return headers.withUnsafeMutableBufferPointer { headers in
            var properties = amqp_basic_properties_t()
            properties._flags = amqp_flags_t(
                AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG
                    | AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_APP_ID_FLAG)
            properties.content_type = arena.bytes("application/json")
            properties.content_encoding = arena.bytes("utf-8")
            properties.delivery_mode = 2
            properties.message_id = arena.bytes(uuid(of: message))
            properties.app_id = arena.bytes("odcs")
            properties.headers = amqp_table_t(num_entries: CInt(headers.count), entries: headers.baseAddress)
            // `mandatory` lets the broker say that no queue gets the message.
            return amqp_basic_publish(
                state, Self.channel, arena.bytes(settings.exchange), arena.bytes(settings.topic), 1, 0, &properties,
                arena.bytes(message.body))
        }
    }

    // MARK: Frames

    /// Returns the next frame, or `nil` if none came in time.
    private func nextFrame(within time: Duration) throws(BrokerProblem) -> amqp_frame_t? {
        var frame = amqp_frame_t()
        var time = Foundation.timeval(time)
        let status = amqp_simple_wait_frame_noblock(state, &frame, &time)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        guard status == OK else { throw BrokerProblem("The connection to \(settings.server) broke: \(Self.text(status)).") }
        return frame
    }

    private func note(_ frame: amqp_frame_t, in confirms: inout PublisherConfirms) throws(BrokerProblem) {
        switch Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            let method = frame.payload.method
            switch method.id {
            case AMQP_BASIC_ACK_METHOD:
                let ack = method.decoded.assumingMemoryBound(to: amqp_basic_ack_t.self).pointee
                confirms.note(ack.delivery_tag, isMultiple: ack.multiple != 0, isTaken: true)
            case AMQP_BASIC_NACK_METHOD:
                let nack = method.decoded.assumingMemoryBound(to: amqp_basic_nack_t.self).pointee
                confirms.note(nack.delivery_tag, isMultiple: nack.multiple != 0, isTaken: false)
            case AMQP_CHANNEL_CLOSE_METHOD, AMQP_CONNECTION_CLOSE_METHOD:
                throw BrokerProblem("\(settings.server) ended the connection: \(Self.reason(method)).")
            default: break
            }
        case AMQP_FRAME_HEADER:
            // Only returned messages have a header.
            let properties = frame.payload.properties.decoded.assumingMemoryBound(to: amqp_basic_properties_t.self).pointee
            confirms.returned.insert(String(properties.message_id))
        default: break
        }
    }

    private func check(_ reply: amqp_rpc_reply_t, _ failure: String) throws(BrokerProblem) {
        switch reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION: throw BrokerProblem("\(failure): \(Self.reason(reply.reply)).")
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: throw BrokerProblem("\(failure): \(Self.text(reply.library_error)).")
        default: throw BrokerProblem("\(failure): it closed the connection.")
        }
    }

    /// Returns what the broker says about the end of a channel or connection. Example: `NOT_FOUND -
    /// no exchange 'odcs' in vhost '/' (404)`.
    private static func reason(_ method: amqp_method_t) -> String {
        guard let decoded = method.decoded else { return "it gave no reason" }
        // Both methods begin with the same fields.
        let close = decoded.assumingMemoryBound(to: amqp_channel_close_t.self).pointee
        return "\(String(close.reply_text).printable(most: 300)) (\(close.reply_code))"
    }

    private static func text(_ status: CInt) -> String { String(cString: amqp_error_string2(status)).printable(most: 300) }
}

private let OK = AMQP_STATUS_OK.rawValue

/// The publisher confirms for a series of messages.
struct PublisherConfirms {
    private let first: UInt64
    private let count: Int
    /// Whether the broker has taken a message, by its place in the series.
    private(set) var answers: [Int: Bool] = [:]
    /// The ids of messages that no queue got.
    var returned: Set<String> = []

    init(first: UInt64, count: Int) {
        self.first = first
        self.count = count
    }

    var isComplete: Bool { answers.count == count }

    /// Records a confirm: of the message with a delivery tag, or also of all messages before it.
    mutating func note(_ tag: UInt64, isMultiple: Bool, isTaken: Bool) {
        guard tag >= first, tag < first + UInt64(count) else { return }
        let place = Int(tag - first)
        for place in isMultiple ? 0...place : place...place where answers[place] == nil { answers[place] = isTaken }
    }
}

/// Memory for the arguments of one call, freed with the object.
private final class ByteArena {
    private var buffers: [UnsafeMutableRawBufferPointer] = []

    deinit { for buffer in buffers { buffer.deallocate() } }

    func bytes(_ data: some Collection<UInt8>) -> amqp_bytes_t {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, data.count), alignment: 1)
        buffers.append(buffer)
        buffer.copyBytes(from: data)
        return amqp_bytes_t(len: data.count, bytes: buffer.baseAddress)
    }

    func bytes(_ text: String) -> amqp_bytes_t { bytes(text.utf8) }

    func entry(_ key: String, _ text: String) -> amqp_table_entry_t {
        var value = amqp_field_value_t()
        value.kind = UInt8(AMQP_FIELD_KIND_UTF8.rawValue)
        value.value.bytes = bytes(text)
        return amqp_table_entry_t(key: bytes(key), value: value)
    }

    func entry(_ key: String, _ number: Int32) -> amqp_table_entry_t {
        var value = amqp_field_value_t()
        value.kind = UInt8(AMQP_FIELD_KIND_I32.rawValue)
        value.value.i32 = number
        return amqp_table_entry_t(key: bytes(key), value: value)
    }
}

extension String {
    fileprivate init(_ bytes: amqp_bytes_t) {
        self.init(decoding: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let milliseconds = duration.milliseconds
        self.init(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    }
}
