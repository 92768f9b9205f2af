import AsyncHTTPClient
import ComposeModel
import Foundation
import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// What goes wrong between this service and Pulp, as explanations: what, where, what would help. No credentials are in any of them.
extension PulpServer {
    /// Pulp did not answer in a way that can be used, and may do so the next time.
    func unreachable(_ reason: String) -> ComposeFailure {
        ComposeFailure(.sourceUnreachable, "\(name) could not be asked: \(reason).", isTransient: true)
    }

    /// No answer came at all.
    func noAnswer(_ error: any Error) -> ComposeFailure {
        if let failure = tls(error) { return failure }
        if let error = error as? HTTPClientError {
            switch error {
            case .connectTimeout: return unreachable("no connection came about")
            case .readTimeout, .deadlineExceeded, .getConnectionFromPoolTimeout: return unreachable("it did not answer in time")
            case .tlsHandshakeTimeout: return unreachable("it did not complete the TLS handshake")
            default: break
            }
        }
        if let error = error as? NIOConnectionError {
            return unreachable(error.connectionErrors.isEmpty ? "its name has no address" : "it does not accept connections")
        }
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED { return unreachable("it does not accept connections") }
        return unreachable("the connection failed before an answer came")
    }

    /// The answer broke off.
    func cut(_ error: any Error) -> ComposeFailure {
        if let failure = tls(error) { return failure }
        if error as? HTTPClientError == .readTimeout { return unreachable("it stopped in the middle of its answer") }
        return unreachable("the connection was cut in the middle of its answer")
    }

    /// TLS cannot be agreed on; not a matter of time.
    private func tls(_ error: any Error) -> ComposeFailure? {
        // A cut connection is one, too, but not for a reason of TLS.
        guard error is NIOSSLError || error is BoringSSLError, error as? NIOSSLError != .uncleanShutdown else { return nil }
        return ComposeFailure(
            .sourceUnreachable,
            "No TLS connection to \(name) came about: either its certificate is not one that this service trusts, or it does not accept this "
                + "service's client certificate. Both are in the configuration of this service.")
    }

    /// An answer with another status than 200 and 404.
    func refusal(_ status: UInt, _ body: ByteBuffer) -> ComposeFailure {
        switch status {
        case 300...399: return redirected
        case 401:
            return ComposeFailure(
                .sourceNotUsable,
                authentication == .none
                    ? "\(name) asks for credentials (status 401), and the configuration of this service has none for it."
                    : "\(name) does not accept \(authentication) of this service (status 401); what its configuration has for Pulp must be checked."
            )
        case 403:
            return ComposeFailure(
                .sourceNotUsable,
                "\(name) does not let this service see its repositories (status 403); Pulp's administrators can give it the right to view them."
            )
        case 408, 425, 429, 500...599: return unreachable("it answered with the status \(status)")
        case 400:
            return ComposeFailure(
                .sourceNotUsable,
                "\(name) does not understand what it was asked (status 400)\(detail(body)). Either a name in the request is none that it can have, "
                    + "or it is another version of Pulp than the configuration of this service says.")
        default:
            return ComposeFailure(
                .sourceNotUsable, "\(name) answered with the status \(status), of which this service can make nothing\(detail(body)).")
        }
    }

    var redirected: ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "\(name) redirects to another address, and this service does not send its credentials there; its configuration must name the address "
                + "at which Pulp itself answers.")
    }

    /// 404 for a resource that every Pulp has.
    var noAPI: ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "There is no API of Pulp \(version.rawValue) at \(api): the address or the version of Pulp in the configuration of this service is wrong."
        )
    }

    var tooLarge: ComposeFailure {
        ComposeFailure(
            .limitExceeded,
            "An answer of \(name) has more than \(limits.answerBytes) bytes, the most that this service accepts; ask for fewer content sets at once."
        )
    }

    func tooMany(_ count: Int) -> ComposeFailure {
        ComposeFailure(
            .limitExceeded,
            "\(name) has \(count) repositories for the names in this request; between 0 and \(limits.repositories) are possible. "
                + "Ask for fewer content sets at once.")
    }

    /// An answer that is no JSON, or other JSON than this service knows.
    func unreadable(_ body: ByteBuffer, _ error: any Error) -> ComposeFailure {
        if body.readableBytesView.first(where: { !$0.isSpace }) == UInt8(ascii: "<") {
            return ComposeFailure(
                .sourceNotUsable,
                "\(name) answered with a web page instead of data: something else may be at that address, or asks for a login before it lets anybody "
                    + "through. The address of Pulp in the configuration of this service must be checked.")
        }
        return senseless((error as? DecodingError).map(\.finding) ?? "it is not JSON")
    }

    /// An answer that contradicts itself or the question.
    func senseless(_ finding: String) -> ComposeFailure {
        ComposeFailure(
            .metadataCorrupt,
            "The answer of \(name) cannot be used: \(finding). It may be another version of Pulp than the configuration of this service says."
        )
    }

    /// What Pulp itself says about a refusal, where that can be shown: ": …".
    private func detail(_ body: ByteBuffer) -> String {
        // A refusal that is no JSON is explained by its status alone.
        guard let json = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView), options: .fragmentsAllowed) else {
            return ""
        }
        func texts(_ value: Any) -> [String] {
            switch value {
            case let text as String: [text]
            case let list as [Any]: list.flatMap(texts)
            case let object as [String: Any]: object.sorted { $0.key < $1.key }.flatMap { texts($0.value) }
            default: []
            }
        }
        let said = texts(json).joined(separator: " ")
        return said.isEmpty ? "" : ": \(said.shown)"
    }
}

extension DecodingError {
    /// What is wrong with JSON, and where in it, for a person.
    fileprivate var finding: String {
        switch self {
        case .keyNotFound(let key, let context): "\(Self.place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(Self.place(context.codingPath)) is null"
        case .typeMismatch(_, let context): "\(Self.place(context.codingPath)) is not of the type that it should be"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is not JSON, or not complete"
        case .dataCorrupted(let context): "\(Self.place(context.codingPath)) cannot be read: \(context.debugDescription)"
        @unknown default: "it is not what it should be"
        }
    }

    /// `results[2].base_url`.
    private static func place(_ path: [any CodingKey]) -> String {
        let text = path.reduce("") { text, key in
            key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
        }
        return text.isEmpty ? "the whole" : text
    }
}

extension String {
    /// A text that somebody else wrote, in quotation marks, without what could not be seen, and not longer than somebody reads.
    var shown: String {
        let visible = String(
            String.UnicodeScalarView(unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? " " : $0 }))
        return "\"\(visible)\(unicodeScalars.count > 200 ? "…" : "")\""
    }
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) || [0xEF, 0xBB, 0xBF].contains(self) }
}
