import ForeignText
import Foundation
import HTTPEnvironment

/// The error of a call to the service that got no answer, or not the expected one.
public struct ComposeClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A code is the kind of a failure.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The server's address is not valid.
        case badAddress = "bad-address"
        /// There was no connection, or it broke before the answer was complete.
        case unreachable
        /// The server was reached but did not answer in time. The request may have had its effect.
        case timedOut = "timed-out"
        /// The service answered with an error. ``ComposeClientError/status`` says which.
        case refused
        /// The answer does not have the form of the service's answers. It probably comes from another program.
        case notTheService = "not-the-service"
    }

    public let code: Code
    /// The HTTP status, if there was an answer.
    public let status: Int?
    /// One line for people that says which problem occurred and where. It contains no token.
    public let description: String

    init(_ code: Code, _ description: String, status: Int? = nil) {
        self.code = code
        self.status = status
        self.description = Self.oneLine(description)
    }

    /// Whether repeating the call may help although no person has changed anything. This is so if the
    /// server is away or restarts, or if a gateway before it waits for it.
    var isPassing: Bool {
        switch code {
        case .unreachable: true
        case .refused, .notTheService: status.map([502, 503, 504].contains) ?? false
        case .badAddress, .timedOut: false
        }
    }

    /// Whether the service failed instead of answering. The effect of the request is unknown then.
    var isFaultOfTheService: Bool { status.map { (500..<600).contains($0) } ?? false }

    /// Returns `text` on one line. Every run of spaces, line ends and control characters becomes one space.
    /// Other invisible characters are written as their code point, for example `U+202E`.
    static func oneLine(_ text: String) -> String {
        text.split { $0.isWhitespace || $0.unicodeScalars.allSatisfy { $0.properties.generalCategory == .control } }
            .joined(separator: " ").printable()
    }
}

extension ComposeClientError {
    /// Creates the error for an exchange with the server that failed on its way.
    init(reaching server: String, _ error: any Error) {
        if let error = error as? ComposeClientError {
            self = error
            return
        }
        switch NetworkProblem(error) {
        case .notSent(let problem) where !problem.isPassing:
            self.init(.badAddress, "cannot reach ODCS at \(server): \(problem)")
        case .answerTimeout: self.init(.timedOut, "ODCS at \(server) did not answer in time")
        case let problem: self.init(.unreachable, "cannot reach ODCS at \(server): \(Self.reason(problem))")
        }
    }

    /// Returns the reason in the words of a command, which are shorter than those of a service.
    static func reason(_ problem: NetworkProblem) -> String {
        switch problem {
        case .notSent(let problem): problem.description
        case .noAddress(let host): "no host is called \(host)"
        case .noConnection(let number), .broken(let number):
            number.map { String(cString: strerror($0)).lowercased() } ?? "the connection broke"
        case .connectTimeout: "no connection in time"
        case .handshakeTimeout: "no TLS handshake in time"
        case .answerTimeout: "no answer in time"
        case .closed: "the connection was closed before the answer was complete"
        case .notHTTP: "the server there does not speak HTTP"
        case .tls(.untrustedCertificate): "its certificate is not trusted here (SSL_CERT_FILE can name the certificates to trust)"
        case .tls(.notTLS): "it does not speak TLS (http:// instead of https://?)"
        case .tls(.certificateOfAnotherHost): "its certificate is for another host"
        case .tls(.other): "the TLS handshake failed"
        case .other(let description): description?.lowercased() ?? "the connection failed"
        }
    }
}

extension ComposeClientError {
    /// An error in the form of the API's contract.
    private struct Refusal: Decodable {
        var message: String
    }

    /// Creates the error for an answer with a status that is not a success.
    init(status: Int, contentType: String?, body: Data, url: String) {
        // An answer without a message in the contract's form does not come from the service.
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: body) {
            self.init(.refused, "\(refusal.message) (HTTP \(status))", status: status)
        } else {
            self.init(notTheService: url, status: status, contentType: contentType, body: body)
        }
    }

    /// Creates the error for an answer that is not JSON. It shows the first words of the answer, which
    /// often name the program that sent it.
    init(notTheService url: String, status: Int, contentType: String?, body: Data) {
        let text = Self.oneLine(String(decoding: body.prefix(2048), as: UTF8.self).replacing(/<[^>]*>/, with: " "))
        let words = text.count > 80 ? "\(text.prefix(80))…" : text
        let said = words.isEmpty ? "nothing" : "\"\(words)\""
        self.init(
            .notTheService,
            "\(url) answered HTTP \(status) with \(contentType ?? "no Content-Type") instead of ODCS's JSON, saying \(said); is this the address of ODCS?",
            status: status)
    }

    /// Creates the error for JSON that lacks a part that the contract promises.
    init(unexpected url: String, _ error: DecodingError) {
        func path(_ keys: [any CodingKey]) -> String {
            keys.isEmpty ? "its outermost value" : "'\(keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."))'"
        }
        let detail =
            switch error {
            case .keyNotFound(let key, let context): "\(path(context.codingPath + [key])) is missing"
            case .valueNotFound(_, let context): "\(path(context.codingPath)) is null"
            case .typeMismatch(_, let context): "\(path(context.codingPath)) has another type than the contract says"
            case .dataCorrupted(let context): "\(path(context.codingPath)) cannot be understood"
            @unknown default: "it cannot be understood"
            }
        self.init(.notTheService, "\(url) answered JSON that is not what ODCS answers there: \(detail)")
    }
}
