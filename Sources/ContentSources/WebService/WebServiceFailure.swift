import ComposeModel
import ForeignText
import Foundation
import HTTPEnvironment
import NIOCore

/// The failures between ODCS and a web service, as explanations: the problem, its place and its remedy.
/// No explanation contains credentials.
extension WebService {
    /// Returns the failure for a service that did not give a usable answer, but may do so next time.
    func unreachable(_ reason: String) -> ComposeFailure {
        ComposeFailure(.sourceUnreachable, "\(subject) could not be asked: \(reason).", isTransient: true)
    }

    /// Returns the failure for a request that got no answer at all.
    func noAnswer(_ error: any Error) -> ComposeFailure {
        let problem = NetworkProblem(error)
        return switch problem {
        case .tls: noTLS
        case .notSent(let problem): unreachable(problem.description)
        default: unreachable("it \(problem.words())")
        }
    }

    /// Returns the failure for an answer that broke off.
    func cut(_ error: any Error) -> ComposeFailure {
        switch NetworkProblem(error) {
        case .tls: noTLS
        case .answerTimeout: unreachable("it stopped in the middle of its answer")
        default: unreachable("the connection was cut in the middle of its answer")
        }
    }

    /// The failure if there is no TLS connection. It is not transient, because waiting does not help.
    private var noTLS: ComposeFailure {
        ComposeFailure(
            .sourceUnreachable,
            "No TLS connection to \(name) came about: "
                + (authentication.mayBeCertificate
                    ? "either its certificate is not one that this service trusts, or it does not accept this service's client certificate. "
                        + "Both are in the configuration of this service."
                    : "this service does not trust its certificate. The operator of this service can add it to the configuration."))
    }

    /// Returns the failure for an answer with another status than 200 and 404.
    func refusal(_ status: UInt, _ body: ByteBuffer) -> ComposeFailure {
        switch status {
        case 300...399: return redirected
        case 401:
            return ComposeFailure(
                .sourceNotUsable,
                authentication.credentials.map {
                    "\(subject) does not accept \($0) of this service (status 401); what its configuration has for \(title) must be checked."
                } ?? "\(subject) asks for credentials (status 401), and the configuration of this service has none for it.")
        case 403:
            return ComposeFailure(
                .sourceNotUsable,
                "\(subject) does not let this service see its \(contents) (status 403); \(title)'s operator can give it the right to view them."
            )
        case 408, 425, 429, 500...599: return unreachable("it answered with the status \(status)")
        case 400:
            return ComposeFailure(
                .sourceNotUsable,
                "\(subject) does not understand the request (status 400)\(detail(body)). Either a name in the request is none that it can have, "
                    + "or it is \(otherVersion).")
        default:
            return ComposeFailure(
                .sourceNotUsable, "\(subject) answered with the status \(status), which this service does not expect\(detail(body)).")
        }
    }

    var redirected: ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "\(subject) redirects to another address, and this service does not "
                + (authentication.credentials == nil ? "follow" : "send its credentials")
                + " there; its configuration must name the address "
                + "at which \(title) itself answers.")
    }

    /// The failure if the service answers 404 for a resource that every service of its kind has.
    var noAPI: ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "There is no API of \(edition ?? title) at \(api): the address \(edition == nil ? "" : "or the version ")of \(title) in the configuration "
                + "of this service is wrong.")
    }

    var tooLarge: ComposeFailure {
        ComposeFailure(
            .limitExceeded,
            "An answer of \(name) has more than \(limits.answerBytes) bytes, the most that this service accepts\(remedy.map { "; \($0)" } ?? "")."
        )
    }

    /// Returns the failure for an answer that is not JSON, or whose JSON does not have the expected form.
    func unreadable(_ body: ByteBuffer, _ error: any Error) -> ComposeFailure {
        if body.readableBytesView.first(where: { !$0.isSpace }) == UInt8(ascii: "<") {
            return ComposeFailure(
                .sourceNotUsable,
                "\(subject) answered with a web page instead of data: something else may be at that address, or asks for a login before it lets anybody "
                    + "through. The address of \(title) in the configuration of this service must be checked.")
        }
        return senseless((error as? DecodingError).map(\.finding) ?? "it is not JSON")
    }

    /// Returns the failure for an answer that contradicts itself or the question.
    func senseless(_ finding: String) -> ComposeFailure {
        ComposeFailure(
            .metadataCorrupt,
            "The answer of \(name) cannot be used: \(finding). It may be \(otherVersion).")
    }

    private var otherVersion: String {
        "another version of \(title) than \(edition == nil ? "this service knows" : "the configuration of this service says")"
    }

    /// Returns the service's own explanation of a refusal as ": …", or an empty text if it gives none that
    /// can be shown.
    private func detail(_ body: ByteBuffer) -> String {
        // A refusal that is not JSON is explained by its status alone.
        guard let json = try? JSONSerialization.jsonObject(with: Data(body.readableBytesView), options: .fragmentsAllowed) else {
            return ""
        }
        // A `message` is meant for people, and is shown without the other texts.
        if let message = (json as? [String: Any])?["message"] as? String, !message.isEmpty { return ": \(message.shown)" }
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

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) || [0xEF, 0xBB, 0xBF].contains(self) }
}
