import ComposeModel
import Foundation
public import Logging

/// A log handler that writes each event as one line of JSON, with the same facts as a line of text. All
/// values of metadata are texts.
///
/// Example, in one line:
///
///     {"time":"2026-11-30T19:28:02.123Z","level":"info","logger":"odcs","source":"ComposeFrontend",
///      "message":"request answered","metadata":{"status":"200"}}
public struct JSONLog: LogHandler {
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    public var logLevel = Logger.Level.info

    /// - Parameters:
    ///   - metadataProvider: Adds metadata of the current task to each line.
    ///   - write: Writes the bytes of a whole line.
    public init(
        label: String, metadataProvider: Logger.MetadataProvider? = nil,
        write: @escaping @Sendable ([UInt8]) -> Void = JSONLog.writeToStandardError
    ) {
        self.label = label
        self.metadataProvider = metadataProvider
        self.write = write
    }

    public func log(event: LogEvent) {
        var facts = metadata
        if let provided = metadataProvider?.get() { facts.merge(provided) { $1 } }
        if let added = event.metadata { facts.merge(added) { $1 } }
        var json = JSONWriter(reservingBytes: 512)
        json.object {
            $0.member("time", Date.now.formatted(Self.time))
            $0.member("level", event.level.rawValue)
            $0.member("logger", label)
            $0.member("source", event.source)
            $0.member("message", event.message.description)
            guard !facts.isEmpty else { return }
            $0.member("metadata") { json in
                for (name, value) in facts.sorted(by: { $0.key < $1.key }) { json.member(name, value.description) }
            }
        }
        json.endLine()
        write(json.bytes)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)

    /// Writes a line to standard error, by one call. So lines of several threads do not mix.
    @Sendable public static func writeToStandardError(_ line: [UInt8]) {
        FileHandle.standardError.write(Data(line))
    }
}
