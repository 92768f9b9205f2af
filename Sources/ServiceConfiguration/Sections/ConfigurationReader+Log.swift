import Logging
public import ServiceLog

/// The log of a process in a configuration.
extension ConfigurationReader {
    public mutating func log() throws -> LogSettings {
        let level = try string("log.level", default: "info", allowed: Logger.Level.allCases.map(\.rawValue))
        let format = try string("log.format", default: "text", allowed: LogSettings.Format.allCases.map(\.rawValue))
        return LogSettings(level: Logger.Level(rawValue: level) ?? .info, format: LogSettings.Format(rawValue: format) ?? .text)
    }
}
