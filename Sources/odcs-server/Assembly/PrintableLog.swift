import ForeignText
import Logging

/// A log handler that passes each event on as one printable line. Text from outside in a message or in
/// metadata therefore cannot begin a line of the log, or control the terminal that shows it.
struct PrintableLog<Handler: LogHandler>: LogHandler {
    private var handler: Handler

    init(_ handler: Handler) {
        self.handler = handler
    }

    func log(event: LogEvent) {
        var event = event
        let message = event.message.description
        if !message.isVisibleASCII { event.message = Logger.Message(stringLiteral: message.printable()) }
        event.metadata = event.metadata?.printable
        if let error = event.error {
            event.error = nil
            event.metadata = (event.metadata ?? [:]).merging(["error": .string("\(error)".printable())]) { known, _ in known }
        }
        handler.log(event: event)
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue?.printable }
    }

    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue.printable }
    }

    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }
}

extension Logger.Metadata {
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
