import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Retries

/// A network problem is the reason why an exchange with a server did not lead to a whole answer.
///
/// It is made from the errors of ``OutboundClient`` and of the bodies of its responses. It does not
/// depend on the libraries that threw the error.
public enum NetworkProblem: Hashable, Sendable {
    /// The request could not be sent.
    case notSent(OutboundProblem)
    /// The host's name has no address.
    case noAddress(host: String)
    /// No address of the host accepts connections. The value is the system's error number, if there is one.
    case noConnection(errno: CInt?)
    case connectTimeout
    case handshakeTimeout
    /// No answer came in time, or no other piece of it.
    case answerTimeout
    case tls(TLSProblem)
    /// The server does not speak HTTP.
    case notHTTP
    /// The server closed the connection.
    case closed
    /// The connection broke. The value is the system's error number, if there is one.
    case broken(errno: CInt?)
    /// Another error. The value is the HTTP client's short description of it, if there is one.
    case other(String?)

    /// The reason why there is no TLS connection to a server.
    public enum TLSProblem: Hashable, Sendable {
        case untrustedCertificate
        case certificateOfAnotherHost
        /// The server does not speak TLS.
        case notTLS
        case other
    }

    public init(_ error: any Error) {
        self =
            switch error {
            case let problem as OutboundProblem: .notSent(problem)
            case let error as NIOConnectionError: Self.of(error)
            case let error as HTTPClientError: Self.of(error)
            case ChannelError.connectTimeout: .connectTimeout
            case is ChannelError: .broken(errno: nil)
            case let error as IOError where error.errnoCode == ECONNREFUSED: .noConnection(errno: error.errnoCode)
            case let error as IOError: .broken(errno: error.errnoCode)
            // NIOSSL also reports a cut connection, whose cause is not TLS.
            case NIOSSLError.uncleanShutdown, HTTPParserError.invalidEOFState: .closed
            case is HTTPParserError: .notHTTP
            case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: .tls(TLSProblem("\(error)"))
            default: .other(nil)
            }
    }

    private static func of(_ error: NIOConnectionError) -> NetworkProblem {
        switch error.connectionErrors.first?.error {
        case nil: .noAddress(host: error.host)
        case ChannelError.connectTimeout?: .connectTimeout
        case let cause?: .noConnection(errno: (cause as? IOError)?.errnoCode)
        }
    }

    private static func of(_ error: HTTPClientError) -> NetworkProblem {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout: .connectTimeout
        case .tlsHandshakeTimeout: .handshakeTimeout
        case .readTimeout, .writeTimeout, .deadlineExceeded: .answerTimeout
        case .remoteConnectionClosed: .closed
        default: .other(error.shortDescription)
        }
    }

    /// Returns the problem in words that follow the name of the server, without a full stop. Example: "did
    /// not answer getTag within 30 seconds".
    ///
    /// - Parameters:
    ///   - question: The name of the question, if the server answers several. Example: `getTag`.
    ///   - connecting: The time limit for a connection. `nil` if the words do not name it.
    ///   - answering: The time limit for an answer. `nil` if the words do not name it.
    public func words(to question: String? = nil, connecting: Duration? = nil, answering: Duration? = nil) -> String {
        let object = question.map { " \($0)" } ?? ""
        func time(_ limit: Duration?) -> String { limit.map { "within \($0.inWords)" } ?? "in time" }
        return switch self {
        case .notSent(let problem): "cannot be reached: \(problem)"
        case .noAddress: "has a name without an address"
        case .noConnection: "does not accept connections"
        case .connectTimeout: "did not accept a connection \(time(connecting))"
        case .handshakeTimeout: "did not complete the TLS handshake \(time(connecting))"
        case .answerTimeout: "did not answer\(object) \(time(answering))"
        case .tls(.untrustedCertificate): "has a certificate that is not trusted here"
        case .tls(.certificateOfAnotherHost): "has a certificate for another host"
        case .tls(.notTLS): "does not speak TLS"
        case .tls(.other): "did not complete the TLS handshake"
        case .notHTTP: "does not speak HTTP"
        case .closed, .broken: "closed the connection before it answered\(object)"
        case .other: "cannot be reached"
        }
    }
}

extension NetworkProblem.TLSProblem {
    /// Finds the reason in the text of an error. BoringSSL's reasons have no public type. Its names for
    /// them are stable and part of the text.
    fileprivate init(_ text: String) {
        self =
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                .untrustedCertificate
            } else if text.contains("WRONG_VERSION_NUMBER") {
                .notTLS
            } else if text.contains("ValidateHostname") {
                .certificateOfAnotherHost
            } else {
                .other
            }
    }
}
