import CProton
import ComposeStore
import Deliveries
import ForeignText
import Foundation
import SystemPackage

/// An AMQP sender publishes events to one address of a broker by AMQP 1.0, such as that of an
/// ActiveMQ.
///
/// The body of a message is a text, as that of the original ODCS. The engine of Proton does no
/// input or output of its own: this object moves its bytes through a socket.
final class AMQPSender: BrokerConnection {
    private let settings: AMQPAddress
    private let driver: UnsafeMutablePointer<pn_connection_driver_t>
    private var socket: BrokerSocket?
    private var sender: OpaquePointer?
    private var nextTag = 0
    /// The answers to the messages of a series, by their places. A delivery refers to its place.
    private var answers: [Int: DeliveryAnswer] = [:]
    private var problem: BrokerProblem?
    private var isOpen = false

    init(_ settings: AMQPAddress, until deadline: Deadline) throws(BrokerProblem) {
        self.settings = settings
        driver = .allocate(capacity: 1)
        driver.initialize(to: pn_connection_driver_t())
        guard pn_connection_driver_init(driver, nil, nil) == 0 else {
            throw BrokerProblem("No memory is left for a connection.")
        }
        // If one of these throws, the object is complete, and `deinit` frees the driver.
        socket = try BrokerSocket(to: settings.server, until: deadline)
        try prepareLogin()
        open()
        try run(until: deadline) { isOpen }
    }

    deinit {
        pn_connection_driver_destroy(driver)
        driver.deallocate()
    }

    private func prepareLogin() throws(BrokerProblem) {
        let transport = driver.pointee.transport
        let login = settings.login
        if settings.server.isEncrypted {
            let domain = pn_ssl_domain(PN_SSL_MODE_CLIENT)
            defer { pn_ssl_domain_free(domain) }
            let ca = login.ca ?? BrokerLogin.systemAuthorities
            guard pn_ssl_domain_set_trusted_ca_db(domain, ca.string) == 0 else {
                throw BrokerProblem("The file with the certificate authorities cannot be read: \(ca.string).")
            }
            if let certificate = login.certificate, let key = login.key {
                guard pn_ssl_domain_set_credentials(domain, certificate.string, key.string, nil) == 0 else {
                    throw BrokerProblem("The client certificate or its key cannot be read.")
                }
            }
            pn_ssl_domain_set_peer_authentication(domain, PN_SSL_VERIFY_PEER_NAME, ca.string)
            let ssl = pn_ssl(transport)
            guard pn_ssl_init(ssl, domain, nil) == 0 else { throw BrokerProblem("TLS cannot be used.") }
            pn_ssl_set_peer_hostname(ssl, settings.server.host)
        }
        let sasl = pn_sasl(transport)
        let connection = driver.pointee.connection
        if let user = login.user {
            pn_connection_set_user(connection, user)
            pn_connection_set_password(connection, try login.password())
            pn_sasl_allowed_mechs(sasl, "PLAIN")
            // Proton refuses to send a password in the open otherwise. The operator has chosen
            // amqp:// for it.
            pn_sasl_set_allow_insecure_mechs(sasl, true)
        } else {
            pn_sasl_allowed_mechs(sasl, login.certificate == nil ? "ANONYMOUS" : "EXTERNAL")
        }
    }

    private func open() {
        let connection = driver.pointee.connection
        pn_connection_set_container(connection, "odcs")
        pn_connection_set_hostname(connection, settings.server.host)
        pn_connection_open(connection)
        let session = pn_session(connection)
        pn_session_open(session)
        let sender = pn_sender(session, "odcs-events")
        pn_terminus_set_address(pn_link_target(sender), settings.address)
        pn_link_set_snd_settle_mode(sender, PN_SND_UNSETTLED)
        pn_link_open(sender)
        self.sender = sender
    }

    func send(_ messages: [OutgoingEvent], until deadline: Deadline) -> SentMessages {
        answers = [:]
        do throws(BrokerProblem) {
            for (place, message) in messages.enumerated() {
                try run(until: deadline) { pn_link_credit(sender) > 0 }
                try submit(message, at: place)
            }
            try run(until: deadline) { answers.count == messages.count }
        } catch {
            return SentMessages(answers: answers, problem: error)
        }
        return SentMessages(answers: answers)
    }

    private func submit(_ message: OutgoingEvent, at place: Int) throws(BrokerProblem) {
        nextTag += 1
        let tag = Array("\(nextTag)".utf8CString)
        let delivery = pn_delivery(sender, pn_dtag(tag, tag.count - 1))
        pn_delivery_set_context(delivery, UnsafeMutableRawPointer(bitPattern: place + 1))
        let content = pn_message()
        defer { pn_message_free(content) }
        Self.with(message.messageID) { id in
            var atom = pn_msgid_t()
            atom.type = PN_STRING
            atom.u.as_bytes = id
            pn_message_set_id(content, atom)
        }
        pn_message_set_durable(content, true)
        pn_message_set_content_type(content, "application/json")
        let properties = pn_message_properties(content)
        pn_data_put_map(properties)
        pn_data_enter(properties)
        for (key, value) in [("odcs-type", message.name.rawValue), ("odcs-object", message.object.description)] {
            Self.with(key) { _ = pn_data_put_string(properties, $0) }
            Self.with(value) { _ = pn_data_put_string(properties, $0) }
        }
        pn_data_exit(properties)
        message.body.withUnsafeBytes { body in
            let bytes = pn_bytes_t(size: body.count, start: body.baseAddress?.assumingMemoryBound(to: CChar.self))
            _ = pn_data_put_string(pn_message_body(content), bytes)
        }
        var buffer = pn_rwbytes_t()
        defer { free(buffer.start) }
        guard pn_message_send(content, sender, &buffer) >= 0 else { throw BrokerProblem("A message could not be encoded.") }
    }

    private static func with(_ text: String, _ body: (pn_bytes_t) -> Void) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { body(pn_bytes_t(size: $0.count, start: $0.baseAddress)) }
        }
    }

    // MARK: The engine

    /// Moves bytes and handles events until the condition is met.
    private func run(until deadline: Deadline, _ isMet: () -> Bool) throws(BrokerProblem) {
        while true {
            handleEvents()
            if let problem { throw problem }
            try write(until: deadline)
            if isMet() { return }
            guard let socket, !pn_connection_driver_finished(driver) else {
                throw BrokerProblem("\(settings.server) closed the connection.")
            }
            guard let slice = deadline.slice else { throw BrokerProblem("\(settings.server) did not answer in time.") }
            let room = pn_connection_driver_read_buffer(driver)
            guard room.size > 0 else {
                pn_connection_driver_read_close(driver)
                continue
            }
            switch try socket.read(into: UnsafeMutableRawBufferPointer(start: room.start, count: room.size), within: slice) {
            case .none: break
            case .some(0): pn_connection_driver_read_close(driver)
            case .some(let count): pn_connection_driver_read_done(driver, count)
            }
        }
    }

    private func write(until deadline: Deadline) throws(BrokerProblem) {
        while true {
            let bytes = pn_connection_driver_write_buffer(driver)
            guard bytes.size > 0, let socket else { return }
            let count = try socket.write(UnsafeRawBufferPointer(start: bytes.start, count: bytes.size), until: deadline)
            pn_connection_driver_write_done(driver, count)
            handleEvents()
        }
    }

    private func handleEvents() {
        while let event = pn_connection_driver_next_event(driver) {
            switch pn_event_type(event) {
            case PN_LINK_REMOTE_OPEN:
                // A broker that refuses the address first opens the link without a target, and then
                // closes it.
                isOpen = pn_terminus_get_type(pn_link_remote_target(pn_event_link(event))) != PN_UNSPECIFIED
            case PN_DELIVERY: note(pn_event_delivery(event))
            case PN_LINK_REMOTE_CLOSE, PN_LINK_REMOTE_DETACH: end(pn_link_remote_condition(pn_event_link(event)))
            case PN_SESSION_REMOTE_CLOSE: end(pn_session_remote_condition(pn_event_session(event)))
            case PN_CONNECTION_REMOTE_CLOSE: end(pn_connection_remote_condition(pn_event_connection(event)))
            case PN_TRANSPORT_ERROR: end(pn_transport_condition(pn_event_transport(event)))
            default: break
            }
        }
    }

    private func note(_ delivery: OpaquePointer?) {
        guard let delivery, pn_delivery_updated(delivery), let context = pn_delivery_get_context(delivery) else { return }
        let place = Int(bitPattern: context) - 1
        switch UInt64(pn_delivery_remote_state(delivery)) {
        case UInt64(PN_ACCEPTED): answers[place] = .taken
        case UInt64(PN_REJECTED):
            answers[place] = .refused(
                "It rejected the message\(Self.text(pn_disposition_condition(pn_delivery_remote(delivery))).map { ": \($0)" } ?? "").")
        case UInt64(PN_RELEASED), UInt64(PN_MODIFIED): answers[place] = .busy("It gave the message back.", after: nil)
        default:
            guard pn_delivery_settled(delivery) else { return }
            answers[place] = .busy("It said nothing about the message.", after: nil)
        }
        pn_delivery_settle(delivery)
    }

    private func end(_ condition: OpaquePointer?) {
        let reason = Self.text(condition).map { ": \($0)" } ?? ""
        problem = problem ?? BrokerProblem("\(settings.server) ended the connection\(reason).")
    }

    /// Returns the text of a condition. Example: `no such queue (amqp:not-found)`.
    private static func text(_ condition: OpaquePointer?) -> String? {
        guard let condition, pn_condition_is_set(condition) else { return nil }
        let name = pn_condition_get_name(condition).map { String(cString: $0) } ?? ""
        let words = pn_condition_get_description(condition).map { "\(String(cString: $0)) (\(name))" } ?? name
        return words.printable(most: 300)
    }
}
