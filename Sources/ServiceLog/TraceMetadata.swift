public import Logging
import TraceContext

extension Logger.MetadataProvider {
    /// The current trace and span, for each line of the log that is written while a span runs. Outside of
    /// spans, a line has neither.
    ///
    /// Example: `span=00f067aa0ba902b7 trace=4bf92f3577b34da6a3ce929d0e0e4736`.
    public static let trace = Logger.MetadataProvider {
        guard let current = TraceParent.current else { return [:] }
        return ["trace": .string(current.trace), "span": .string(current.span)]
    }
}
