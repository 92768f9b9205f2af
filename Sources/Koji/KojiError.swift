public import ComposeModel

/// Why a call of a Koji hub has no answer that can be used.
///
/// ``message`` is for people, in whole sentences: it names the hub by its address, and no file of this host or of the hub's.
public struct KojiError: Error, Hashable, Sendable {
    /// What kind of failure it is; bounded, so fit for labels.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The hub answered that it cannot do what was asked: ``KojiError/faultCode`` says why.
        case fault
        /// No answer came, however often it was asked for: no connection, a server error, or silence.
        case unreachable
        /// The server refused the request: with its status, or in the TLS handshake.
        case refused
        /// What came is not an answer of a Koji hub: a page of HTML, or XML of another kind.
        case notKoji
        /// The answer ends in the middle.
        case truncated
        /// The answer is XML that is not well-formed, or that breaks the rules of XML-RPC.
        case malformed
        /// The answer is larger than the limits allow.
        case tooLarge
        /// The answer is XML-RPC, but has not the members that the method's answer should have.
        case unexpected
        /// What was to be sent cannot be written as XML-RPC.
        case argument
        /// The settings of the hub cannot be used.
        case settings
        case canceled
    }

    public let code: Code
    /// What, where, and what would help.
    public let message: String
    /// The hub's own number for the reason, when ``code`` is `.fault`: see ``Fault``.
    public let faultCode: Int?
    /// The hub's own words, when ``code`` is `.fault`.
    public let faultText: String?
    /// Whether the same call may succeed later, with nothing changed by a person.
    public let isTransient: Bool

    public init(_ code: Code, _ message: String, isTransient: Bool = false) {
        self.code = code
        self.message = message
        self.isTransient = isTransient
        faultCode = nil
        faultText = nil
    }

    /// The hub's answer to `method` was a fault.
    init(fault: Fault, method: String, hub: String) {
        code = .fault
        faultCode = fault.code
        faultText = fault.text
        isTransient = fault.code == Fault.offline || fault.code == Fault.unexpected
        message =
            fault.code == Fault.offline
            ? "\(hub) is offline: \(fault.text)."
            : "\(hub) refused the call \(method): \(fault.text) (fault \(fault.code))."
    }
}

extension KojiError {
    /// Whether the hub answered that it will not, or cannot, do what was asked: also by an error that it did not expect, as older hubs do for what
    /// they do not know.
    public var isRefusal: Bool { code == .fault && faultCode != Fault.offline }
}

extension KojiError: CustomStringConvertible {
    public var description: String { message }
}

extension KojiError {
    /// What a hub says when it cannot do what was asked.
    public struct Fault: Hashable, Sendable {
        /// A defect of the hub, an argument that no check caught, or an error of the hub's database, which passes.
        public static let unexpected = 1
        /// Most refusals: no such tag, no such build.
        public static let generic = 1000
        /// The caller may not do that.
        public static let notAllowed = 1004
        /// A build failed: the result of its task.
        public static let buildFailed = 1005
        /// The hub's database is away, or an administrator switched the hub off for a while.
        public static let offline = 1014
        /// The method has no such parameter, or it has another type.
        public static let parameters = 1019

        public let code: Int
        /// One line. Of a traceback, which names files of the hub, only the error at its end.
        public let text: String

        init(code: Int, string: String) {
            self.code = code
            let isTraceback = string.hasPrefix("Traceback (")
            let line = isTraceback ? string.split(whereSeparator: \.isNewline).last.map(String.init) : string
            var text = Excerpt.of(line ?? string, longest: 500)
            while text.hasSuffix(".") { text.removeLast() }
            self.text = text.isEmpty ? "it gave no reason" : text
        }
    }
}

extension ComposeFailure {
    /// What `error` means to a compose that needed the answer.
    public init(_ error: KojiError) {
        let code: Code =
            switch error.code {
            case .unreachable, .truncated: .sourceUnreachable
            case .fault: error.isTransient ? .sourceUnreachable : .sourceNotUsable
            case .refused, .notKoji, .settings: .sourceNotUsable
            case .malformed, .unexpected: .metadataCorrupt
            case .tooLarge: .limitExceeded
            case .argument: .sourceNotUsable
            case .canceled: .canceled
            }
        self.init(code, error.message, isTransient: error.isTransient)
    }
}
