/// A reason why received bytes are not an answer. ``HubConnection`` adds the hub and the method, and
/// makes a ``KojiError`` of it.
enum AnswerProblem: Error {
    /// The document is not well-formed, or breaks the rules of XML-RPC. The text completes a sentence and
    /// usually starts with "it".
    ///
    /// Example: `it has a fault without a code`
    case malformed(String)
    /// The document is XML of another kind. The text is like that of `malformed`.
    case notXMLRPC(String)
    case html
    case truncated
    /// The document is XML-RPC, but not an answer of the method that was called. The text is like that of
    /// `malformed`.
    case unexpected(String)
    /// The document exceeds ``AnswerLimits``. The text is like that of `malformed`.
    case tooLarge(String)
    case fault(KojiError.Fault)
    /// The caller's code that processes the answer threw this error.
    case caller(any Error)
}
