import ComposeModel
import Compression
import ForeignText
import Foundation

/// Explanations why another compose cannot be used.
struct PungiComposeFailure {
    let location: PungiComposeLocation

    private var name: String { "The compose \(location.directory)" }

    /// Returns the failure for a document that could not be read. `document` is its path.
    func reading(_ document: String, _ problem: TransferProblem) -> ComposeFailure {
        if let failure = problem.commonFailure("\(name)'s \(document)") { return failure }
        switch problem {
        case .missing:
            return ComposeFailure(
                .sourceNotUsable,
                "There is no \(document) beside \(location.directory): is it the place of a variant of a finished compose, "
                    + "such as …/compose/Server? Of this service's own composes that is what they have as result_repo.")
        case .overLimit(let limit):
            return ComposeFailure(
                .limitExceeded, "\(name) cannot be used: its \(document) has more than \(limit) bytes, the most that is read.")
        case .truncated:
            return ComposeFailure(
                .metadataCorrupt, "\(name)'s \(document) did not come completely: \(problem.reason).", isTransient: true)
        default:
            return ComposeFailure(.sourceNotUsable, "\(name) cannot be used: of its \(document), \(problem.reason).")
        }
    }

    /// Returns the failure for a document that exists but does not have the expected form.
    func parsing(_ document: String, _ error: any Error) -> ComposeFailure {
        switch error {
        case let error as RPMListDocument.UnknownVariant:
            let known = NearestNames(names: error.known.sorted()).sorted(by: location.variant).listed()
            return ComposeFailure(
                .sourceNotUsable,
                "\(name) cannot be used: its package list has no variant called \(location.variant). "
                    + (known.isEmpty ? "It has none at all." : "It has \(known); the address ends with the variant's name."),
                details: [.init(nearest: error.known.sorted(), text: location.variant)])
        case let error as DecodingError:
            return corrupt(document, error.explanation)
        default:
            return corrupt(document, "it cannot be read")
        }
    }

    func corrupt(_ document: String, _ why: String) -> ComposeFailure {
        ComposeFailure(
            .metadataCorrupt,
            "\(name)'s \(document) cannot be used: \(why). The maintainer of the compose has to look into it.")
    }

    func unfinished(status: String) -> ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "\(name) is not finished: its STATUS is \(status). Only composes whose STATUS is FINISHED or FINISHED_INCOMPLETE can be used.")
    }

    func changed(since pin: Checksum) -> ComposeFailure {
        ComposeFailure(
            .sourceNotUsable,
            "\(name) no longer has the package list of the time when it was first used (rpms.json \(pin)). A new compose takes it as it is now."
        )
    }
}
