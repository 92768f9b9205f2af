/// A failed call of a Koji hub, or settings of a hub that cannot be used.
///
/// ``message`` is written for people, in whole sentences. It names the hub by its address, and no file
/// of this host or of the hub.
public struct KojiError: Error, Hashable, Sendable {
    /// The kind of a failure. The set of kinds is bounded, so they can be labels of metrics.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The hub answered that it cannot do what the call asked for. ``KojiError/faultCode`` has the reason.
        case fault
        /// No answer came after all attempts: no connection, a server error, or silence.
        case unreachable
        /// The server refused the request with an HTTP status or in the TLS handshake.
        case refused
        /// The answer does not come from a Koji hub: it is a page of HTML, or XML of another kind.
        case notKoji
        /// The answer ends in the middle.
        case truncated
        /// The answer is XML that is not well-formed, or that breaks the rules of XML-RPC.
        case malformed
        /// The answer is larger than the limits allow.
        case tooLarge
        /// The answer is XML-RPC, but lacks members that an answer of this method must have.
        case unexpected
        /// The arguments of the call cannot be written as XML-RPC.
        case argument
        /// The settings of the hub cannot be used.
        case settings
        case canceled
    }

    public let code: Code
    /// A text that names the problem, its place and a remedy.
    public let message: String
    /// The hub's number for the reason, if ``code`` is `.fault`: see ``Fault``.
    public let faultCode: Int?
    /// The hub's text for the reason, if ``code`` is `.fault`.
    public let faultText: String?
    /// Whether the same call may succeed later without a change by a person.
    public let isTransient: Bool

    public init(_ code: Code, _ message: String, isTransient: Bool = false) {
        self.code = code
        self.message = message
        self.isTransient = isTransient
        faultCode = nil
        faultText = nil
    }

    /// Makes the error for a fault that the hub answered to `method`.
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
    /// Whether the hub refused the call with a fault, except that it is offline.
    ///
    /// An error that the hub did not expect counts as well. Older hubs answer with one if they do not know
    /// the thing that the call names.
    public var isRefusal: Bool { code == .fault && faultCode != Fault.offline }
}

extension KojiError: CustomStringConvertible {
    public var description: String { message }
}

extension KojiError {
    /// A fault: the answer of a hub that cannot do what the call asked for.
    public struct Fault: Hashable, Sendable {
        /// A defect of the hub, an argument that no check caught, or a temporary error of the hub's database.
        public static let unexpected = 1
        /// Most refusals. Examples: the tag or the build does not exist.
        public static let generic = 1000
        /// The caller is not allowed to make this call.
        public static let notAllowed = 1004
        /// A build failed. Such a fault is the result of its task.
        public static let buildFailed = 1005
        /// The hub's database is not reachable, or an operator switched the hub off for a while.
        public static let offline = 1014
        /// The method has no such parameter, or the parameter has another type.
        public static let parameters = 1019

        public let code: Int
        /// The reason in one line. A traceback names files of the hub, so only the error at its end is kept.
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
