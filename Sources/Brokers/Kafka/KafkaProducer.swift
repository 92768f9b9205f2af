import CRdKafka
import ComposeStore
import Deliveries
import ForeignText
import Foundation
import SystemPackage

/// A Kafka producer publishes events to one topic. The key of a message is its object, such as
/// `compose 12`, so all events of an object are in one partition and keep their order.
///
/// It is idempotent: a message that librdkafka sends again is in the topic once.
final class KafkaProducer: BrokerConnection {
    /// The maximum size of a message. Brokers have a limit of their own, which is mostly smaller.
    private static let mostBytes = 100_000_000

    private let settings: KafkaTopic
    private let handle: OpaquePointer
    /// The reports of librdkafka. The handle refers to it.
    private let reports = KafkaReports()

    init(_ settings: KafkaTopic) throws(BrokerProblem) {
        self.settings = settings
        var text = [CChar](repeating: 0, count: 512)
        let configuration = try Self.configuration(settings)
        rd_kafka_conf_set_opaque(configuration, Unmanaged.passUnretained(reports).toOpaque())
        rd_kafka_conf_set_dr_msg_cb(configuration) { _, message, _ in
            guard let message = message?.pointee, let place = KafkaReports.place(message._private) else { return }
            place.reports.note(message.err, at: place.place)
        }
        rd_kafka_conf_set_error_cb(configuration) { _, _, reason, opaque in
            guard let opaque, let reason else { return }
            Unmanaged<KafkaReports>.fromOpaque(opaque).takeUnretainedValue().lastError = String(cString: reason).printable(most: 300)
        }
        // The problems reach the log of the process as those of the subscriber.
        rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in }
        guard let handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count) else {
            rd_kafka_conf_destroy(configuration)
            throw BrokerProblem("The settings cannot be used: \(Self.string(text)).")
        }
        self.handle = handle
    }

    deinit {
        // These calls wait for threads of librdkafka, and one of them may look up a name. The reports have
        // no reader any more, but the handle still refers to them.
        let (handle, reports) = (UncheckedHandle(handle), reports)
        Thread.detachNewThread {
            rd_kafka_purge(handle.pointer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
            rd_kafka_poll(handle.pointer, 0)
            rd_kafka_destroy(handle.pointer)
            withExtendedLifetime(reports) {}
        }
    }

    private struct UncheckedHandle: @unchecked Sendable {  // it has no other user any more
        let pointer: OpaquePointer

        init(_ pointer: OpaquePointer) { self.pointer = pointer }
    }

    private static func configuration(_ settings: KafkaTopic) throws(BrokerProblem) -> OpaquePointer {
        let login = settings.login
        var values = [
            ("bootstrap.servers", settings.brokers.joined(separator: ",")), ("client.id", "odcs"), ("enable.idempotence", "true"),
            // A message that takes longer is reported before the call ends.
            ("message.timeout.ms", "\(EventDelivery.patience.milliseconds - 1000)"), ("linger.ms", "5"),
            ("message.max.bytes", "\(mostBytes)"), ("compression.codec", "snappy"),
            ("security.protocol", (login.user == nil ? "" : "sasl_") + (settings.isEncrypted ? "ssl" : "plaintext")),
        ]
        if let user = login.user {
            values += [("sasl.mechanism", settings.mechanism), ("sasl.username", user), ("sasl.password", try login.password())]
        }
        if settings.isEncrypted {
            values.append(("ssl.ca.location", (login.ca ?? BrokerLogin.systemAuthorities).string))
            if let certificate = login.certificate, let key = login.key {
                values += [("ssl.certificate.location", certificate.string), ("ssl.key.location", key.string)]
            }
        }
        guard let configuration = rd_kafka_conf_new() else { throw BrokerProblem("No memory is left for a producer.") }
        var text = [CChar](repeating: 0, count: 512)
        for (key, value) in values {
            guard rd_kafka_conf_set(configuration, key, value, &text, text.count) == RD_KAFKA_CONF_OK else {
                rd_kafka_conf_destroy(configuration)
                throw BrokerProblem("The settings cannot be used: \(string(text)).")
            }
        }
        return configuration
    }

    func send(_ messages: [OutgoingEvent], until deadline: Deadline) -> SentMessages {
        reports.begin(messages.count)
        for (place, message) in messages.enumerated() {
            if let answer = produce(message, at: place) { reports.answers[place] = answer }
        }
        while reports.answers.count < messages.count, reports.problem == nil, let slice = deadline.slice {
            rd_kafka_poll(handle, CInt(slice.milliseconds))
        }
        if let problem = reports.problem ?? fatalProblem() { return SentMessages(answers: reports.answers, problem: problem) }
        guard reports.answers.count < messages.count else { return SentMessages(answers: reports.answers) }
        let reason = reports.lastError.map { ": \($0)" } ?? ""
        return SentMessages(answers: reports.answers, problem: BrokerProblem("The brokers did not confirm the messages in time\(reason)."))
    }

    /// Gives a message to librdkafka.
    ///
    /// - Returns: The answer, if librdkafka does not take the message.
    private func produce(_ message: OutgoingEvent, at place: Int) -> DeliveryAnswer? {
        let headers = [
            ("odcs-event", message.messageID), ("odcs-type", message.name.rawValue), ("odcs-object", message.object.description),
        ]
        return settings.topic.withCString { topic in
            Array(message.object.description.utf8).withUnsafeBufferPointer { key in
                message.body.withUnsafeBytes { body in
                    var values = [
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_TOPIC) { $0.cstr = topic },
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_MSGFLAGS) { $0.i = RD_KAFKA_MSG_F_COPY },
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_KEY) {
                            ($0.mem.ptr, $0.mem.size) = (UnsafeMutableRawPointer(mutating: UnsafeRawPointer(key.baseAddress)), key.count)
                        },
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_VALUE) {
                            ($0.mem.ptr, $0.mem.size) = (UnsafeMutableRawPointer(mutating: body.baseAddress), body.count)
                        },
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_OPAQUE) { $0.ptr = reports.token(for: place) },
                    ]
                    let texts = headers.map { (strdup($0), strdup($1), $1.utf8.count) }
                    defer {
                        for (name, value, _) in texts {
                            free(name)
                            free(value)
                        }
                    }
                    values += texts.map { name, value, size in
                        rd_kafka_vu_t(RD_KAFKA_VTYPE_HEADER) {
                            ($0.header.name, $0.header.val, $0.header.size) = (UnsafePointer(name), UnsafeRawPointer(value), size)
                        }
                    }
                    guard let error = rd_kafka_produceva(handle, &values, values.count) else { return nil }
                    defer { rd_kafka_error_destroy(error) }
                    let code = rd_kafka_error_code(error)
                    if code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE { return .refused(Self.tooLarge(body.count)) }
                    return .unreachable("\(String(cString: rd_kafka_error_string(error)).printable(most: 300)).")
                }
            }
        }
    }

    private func fatalProblem() -> BrokerProblem? {
        var text = [CChar](repeating: 0, count: 512)
        guard rd_kafka_fatal_error(handle, &text, text.count) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return BrokerProblem("The producer failed: \(Self.string(text)).")
    }

    private static func tooLarge(_ bytes: Int) -> String { "The message has \(bytes) bytes, which is too large." }

    private static func string(_ text: [CChar]) -> String {
        String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).printable(most: 300)
    }
}

/// The reports of librdkafka about one series of messages. They come during the calls of one
/// thread.
private final class KafkaReports: @unchecked Sendable {  // the thread that ends the handle is its last user
    /// A message in a series.
    final class Place {
        unowned let reports: KafkaReports
        let place: Int

        init(_ reports: KafkaReports, _ place: Int) {
            self.reports = reports
            self.place = place
        }
    }

    var answers: [Int: DeliveryAnswer] = [:]
    /// Why none of the messages can be sent.
    var problem: BrokerProblem?
    /// The last error of a connection, which explains a message that takes too long.
    var lastError: String?
    /// The messages of the series, which librdkafka refers to. A producer whose series is not
    /// complete sends no other one.
    private var places: [Place] = []

    func begin(_ count: Int) {
        (answers, problem, lastError) = ([:], nil, nil)
        places = (0..<count).map { Place(self, $0) }
    }

    func token(for place: Int) -> UnsafeMutableRawPointer { Unmanaged.passUnretained(places[place]).toOpaque() }

    func note(_ error: rd_kafka_resp_err_t, at place: Int) {
        let text = String(cString: rd_kafka_err2str(error)).printable(most: 300)
        switch error {
        case RD_KAFKA_RESP_ERR_NO_ERROR: answers[place] = .taken
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, RD_KAFKA_RESP_ERR_INVALID_RECORD,
            RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
            answers[place] = .refused("The brokers refused the message: \(text).")
        default:
            problem = problem ?? BrokerProblem("The brokers did not take the messages: \(text)\(lastError.map { "; \($0)" } ?? "").")
        }
    }
}

extension KafkaReports {
    /// Returns the message that a token stands for.
    fileprivate static func place(_ token: UnsafeMutableRawPointer?) -> Place? {
        token.map { Unmanaged<Place>.fromOpaque($0).takeUnretainedValue() }
    }
}

extension rd_kafka_vu_t {
    fileprivate init(_ type: rd_kafka_vtype_t, _ set: (inout rd_kafka_vu_s.__Unnamed_union_u) -> Void) {
        self.init()
        vtype = type
        set(&u)
    }
}
