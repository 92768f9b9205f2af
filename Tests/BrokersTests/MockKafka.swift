import CRdKafka
import Foundation

/// The brokers of librdkafka's own test cluster, which listen on the loopback.
final class MockKafka: @unchecked Sendable {
    private let handle: OpaquePointer
    private let cluster: OpaquePointer

    init() {
        var text = [CChar](repeating: 0, count: 512)
        let configuration = rd_kafka_conf_new()
        rd_kafka_conf_set_log_cb(configuration) { _, _, _, _ in }
        handle = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, &text, text.count)!
        cluster = rd_kafka_mock_cluster_new(handle, 3)!
    }

    deinit {
        rd_kafka_mock_cluster_destroy(cluster)
        rd_kafka_destroy(handle)
    }

    var brokers: [String] { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)).split(separator: ",").map(String.init) }

    /// Lets the next requests to store messages fail.
    func failProduceRequests(_ errors: rd_kafka_resp_err_t...) {
        rd_kafka_mock_push_request_errors_array(cluster, 0, errors.count, errors)
    }

    /// Lets all brokers be away, or be there again.
    func setDown(_ isDown: Bool) {
        for broker: Int32 in 1...3 {
            if isDown { rd_kafka_mock_broker_set_down(cluster, broker) } else { rd_kafka_mock_broker_set_up(cluster, broker) }
        }
    }

    /// A message as kcat prints it.
    struct Message: Decodable {
        let partition: Int, offset: Int
        let key: String, payload: String
        /// Names and values in turn.
        let headers: [String]
    }

    /// Reads all messages of a topic with kcat.
    func messages(of topic: String) throws -> [Message] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/kcat")
        process.arguments = ["-C", "-q", "-b", brokers[0], "-t", topic, "-o", "beginning", "-e", "-J"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONDecoder().decode(Message.self, from: $0) }
    }
}
