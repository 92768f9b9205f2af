public import Logging

/// A log handler whose level is the level of the whole log.
public struct LeveledLog<Handler: LogHandler>: LogHandler {
    private var handler: Handler

    public init(_ handler: Handler) {
        self.handler = handler
        // The level is asked for before an event is passed on.
        self.handler.logLevel = .trace
    }

    public func log(event: LogEvent) { handler.log(event: event) }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    public var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    public var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    /// The level of one logger cannot be set.
    public var logLevel: Logger.Level {
        get { LogLevel.current }
        set {}
    }
}
