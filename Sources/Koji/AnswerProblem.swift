/// Why bytes are not an answer, before it is known whose: whoever asked makes a ``KojiError`` of it.
enum AnswerProblem: Error {
    /// The rest of a sentence that starts with "it".
    case malformed(String)
    /// As `malformed`, when it is XML of something else.
    case notXMLRPC(String)
    case html
    case truncated
    /// As `malformed`, when it is XML-RPC but not what the method answers.
    case unexpected(String)
    /// As `malformed`: more than the limits allow.
    case tooLarge(String)
    case fault(KojiError.Fault)
    /// The caller's own code, which the answer was handed to, threw.
    case caller(any Error)
}
