import ForeignText
public import Logging

/// A log handler that passes each event on as one printable line. Text from outside in a message or in
/// metadata therefore cannot begin a line of the log, or control the terminal that shows it.
///
/// It also leaves out the members of services. ServiceLifecycle prints whole services at the level
/// debug, and ours have the configuration, in which addresses can have passwords.
public struct PrintableLog<Handler: LogHandler>: LogHandler {
    private var handler: Handler
    /// It is made printable when an event is logged, because the loggers of most requests log nothing.
    public var metadata: Logger.Metadata

    public init(_ handler: Handler) {
        self.handler = handler
        metadata = handler.metadata
        self.handler.metadata = [:]
    }

    public func log(event: LogEvent) {
        var event = event
        let message = event.message.description
        if !message.isVisibleASCII { event.message = Logger.Message(stringLiteral: message.printable()) }
        if !metadata.isEmpty { event.metadata = metadata.merging(event.metadata ?? [:]) { $1 } }
        event.metadata = event.metadata?.withoutMembersOfServices.printable
        if let error = event.error {
            event.error = nil
            event.metadata = (event.metadata ?? [:]).merging(["error": .string("\(error)".printable())]) { known, _ in known }
        }
        handler.log(event: event)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    public var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }
}

extension Logger.Metadata {
    /// The metadata with the names of services only. A text for several services is left out.
    fileprivate var withoutMembersOfServices: Logger.Metadata {
        guard self["sl-service"] != nil || self["sl-services"] != nil else { return self }
        var names = self
        names["sl-services"] = nil
        if let service = self["sl-service"] { names["sl-service"] = .string(String(service.description.prefix { $0 != "(" })) }
        return names
    }

    /// Most values are printable texts, so the metadata is copied only if one of them is not.
    fileprivate var printable: Logger.Metadata {
        var printable = self
        for (key, value) in self where !value.isVisibleASCII { printable[key] = value.printable }
        return printable
    }
}

extension Logger.MetadataValue {
    fileprivate var isVisibleASCII: Bool {
        guard case .string(let text) = self else { return false }
        return text.isVisibleASCII
    }

    fileprivate var printable: Logger.MetadataValue { isVisibleASCII ? self : .string(description.printable()) }
}
