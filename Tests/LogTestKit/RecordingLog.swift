public import Logging
import Synchronization

/// A log that keeps its lines, so that a test can read them.
public final class RecordingLog: Sendable {
    private let kept: Mutex<[String]> = Mutex([])

    public init() {}

    /// The lines so far, each with its metadata.
    public var lines: [String] { kept.withLock { $0 } }

    public var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    public func clear() { kept.withLock { $0 = [] } }

    private struct Handler: LogHandler {
        let log: RecordingLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(
            level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String, function: String,
            line: UInt
        ) {
            let values = (metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
            log.kept.withLock { $0.append("\(level) \(message)\(values.joined())") }
        }
    }
}
