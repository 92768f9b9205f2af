import Logging

/// A log handler whose level is the level of the whole log.
struct LeveledLog<Handler: LogHandler>: LogHandler {
    private var handler: Handler

    init(_ handler: Handler) {
        self.handler = handler
        // The level is asked for before an event is passed on.
        self.handler.logLevel = .trace
    }

    func log(event: LogEvent) { handler.log(event: event) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }

    /// The level of one logger cannot be set.
    var logLevel: Logger.Level {
        get { LogLevel.current }
        set {}
    }
}
