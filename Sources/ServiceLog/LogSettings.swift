public import Logging

/// The log settings are the level of the log of a process, and the form of its lines.
public struct LogSettings: Hashable, Sendable {
    /// The form of the lines of the log.
    public enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    public var level: Logger.Level
    public var format: Format

    public init(level: Logger.Level, format: Format) {
        self.level = level
        self.format = format
    }

    /// Directs the log of the process to standard error from now on. A process can do so once.
    ///
    /// - Returns: The logger of the service.
    public func begin() -> Logger {
        LogLevel.current = level
        switch format {
        case .text:
            LoggingSystem.bootstrap(
                { LeveledLog(PrintableLog(StreamLogHandler.standardError(label: $0, metadataProvider: $1))) }, metadataProvider: .trace)
        case .json:
            LoggingSystem.bootstrap({ LeveledLog(PrintableLog(JSONLog(label: $0, metadataProvider: $1))) }, metadataProvider: .trace)
        }
        return Logger(label: "odcs")
    }
}
