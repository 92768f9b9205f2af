import AsyncHTTPClient
import ForeignText
import Foundation
import HTTPEnvironment
import NIOCore
import NIOHTTP1
import NIOPosix

/// Why a call to the service gave no answer, or not the one that was asked for.
public struct ComposeClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The server's address cannot be one.
        case badAddress = "bad-address"
        /// No connection, or one that broke before the answer was complete.
        case unreachable
        /// The server was reached but did not answer in time. What was asked for may have happened.
        case timedOut = "timed-out"
        /// The service answered with an error; ``ComposeClientError/status`` says which.
        case refused
        /// What answered does not speak the service's language.
        case notTheService = "not-the-service"
    }

    public let code: Code
    /// The HTTP status, where there was an answer.
    public let status: Int?
    /// One line for people: what went wrong and where. It holds no token.
    public let description: String

    init(_ code: Code, _ description: String, status: Int? = nil) {
        self.code = code
        self.status = status
        self.description = Self.oneLine(description)
    }

    /// Whether asking again may help although nothing was changed by a person: the server is away or restarts, or a gateway before it waits.
    var isPassing: Bool {
        switch code {
        case .unreachable: true
        case .refused, .notTheService: status.map([502, 503, 504].contains) ?? false
        case .badAddress, .timedOut: false
        }
    }

    /// Whether the service failed where it should have answered, so that nobody knows what became of what was asked.
    var isFaultOfTheService: Bool { status.map { (500..<600).contains($0) } ?? false }

    /// `text` with every run of spaces, line ends and control characters as one space, and what else shows nothing as `U+202E`.
    static func oneLine(_ text: String) -> String {
        text.split { $0.isWhitespace || $0.unicodeScalars.allSatisfy { $0.properties.generalCategory == .control } }
            .joined(separator: " ").printable()
    }
}

extension ComposeClientError {
    /// The error for an exchange with the server that failed on its way.
    init(reaching server: String, _ error: any Error) {
        switch error {
        case let error as ComposeClientError:
            self = error
        case let problem as OutboundProblem where !problem.isPassing:
            self.init(.badAddress, "cannot reach ODCS at \(server): \(problem)")
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout || error == .writeTimeout:
            self.init(.timedOut, "ODCS at \(server) did not answer in time")
        default:
            self.init(.unreachable, "cannot reach ODCS at \(server): \(Self.reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case let problem as OutboundProblem:
            return problem.description
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first { return reason(failure.error) }
            return "no host is called \(error.host)"
        case let error as IOError:
            return String(cString: strerror(error.errnoCode)).lowercased()
        case let error as ChannelError:
            if case .connectTimeout = error { return "no connection in time" }
            return "the connection broke"
        case let error as HTTPClientError:
            switch error {
            case .connectTimeout, .getConnectionFromPoolTimeout: return "no connection in time"
            case .remoteConnectionClosed: return "the connection was closed before the answer was complete"
            case .tlsHandshakeTimeout: return "no TLS handshake in time"
            case .redirectLimitReached, .redirectCycleDetected: return "it redirects in circles"
            default: return error.shortDescription.lowercased()
            }
        case is HTTPParserError:
            return "what answers there does not speak HTTP"
        default:
            return tlsReason(String(describing: error))
        }
    }

    /// BoringSSL's reasons have no public type; its names for them are stable and part of the error's text.
    private static func tlsReason(_ text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "its certificate is not trusted here (SSL_CERT_FILE can name the certificates to trust)"
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS (http:// instead of https://?)" }
        if text.contains("ValidateHostname") { return "its certificate is for another host" }
        if text.contains("SSL") { return "the TLS handshake failed" }
        return "the connection failed"
    }
}

extension ComposeClientError {
    /// The contract's form of an error.
    private struct Refusal: Decodable {
        var message: String
    }

    /// The error for an answer with a status that is not a success.
    init(status: Int, contentType: String?, body: Data, url: String) {
        // An answer that has no message in the contract's form comes from something else than the service.
        if let refusal = try? JSONDecoder().decode(Refusal.self, from: body) {
            self.init(.refused, "\(refusal.message) (HTTP \(status))", status: status)
        } else {
            self.init(notTheService: url, status: status, contentType: contentType, body: body)
        }
    }

    /// The error for an answer that is not JSON, with its first words: they often name what answered.
    init(notTheService url: String, status: Int, contentType: String?, body: Data) {
        let text = Self.oneLine(String(decoding: body.prefix(2048), as: UTF8.self).replacing(/<[^>]*>/, with: " "))
        let words = text.count > 80 ? "\(text.prefix(80))…" : text
        let said = words.isEmpty ? "nothing" : "\"\(words)\""
        self.init(
            .notTheService,
            "\(url) answered HTTP \(status) with \(contentType ?? "no Content-Type") instead of ODCS's JSON, saying \(said); is this the address of ODCS?",
            status: status)
    }

    /// The error for JSON that lacks what the contract promises.
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
