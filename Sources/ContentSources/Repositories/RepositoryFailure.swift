package import ComposeModel
package import Compression

/// A repository failure explains to a user why a repository cannot be used.
struct RepositoryFailure {
    private let location: RepositoryLocation

    init(_ location: RepositoryLocation) { self.location = location }

    /// Returns the failure for a repomd.xml that could not be read.
    func pinning(_ problem: TransferProblem) -> ComposeFailure {
        if let failure = problem.commonFailure("The repository \(location)") { return failure }
        switch problem {
        case .missing:
            let question =
                switch location {
                case .directory: "is it the directory of an RPM repository, the one in which repodata lies?"
                case .url: "is it the address of an RPM repository?"
                }
            return ComposeFailure(.sourceNotUsable, "There is no repodata/repomd.xml at \(location): \(question)")
        case .refused(let status) where status == 401 || status == 403:
            return ComposeFailure(
                .sourceNotUsable,
                "The repository \(location) cannot be read: its server does not give it to this service (status \(status)).")
        case .overLimit(let limit):
            return ComposeFailure(.limitExceeded, "The repodata/repomd.xml at \(location) has more than \(limit) bytes, so it is not one.")
        case .truncated:
            return ComposeFailure(
                .metadataCorrupt, "The repodata/repomd.xml of the repository \(location) did not come completely: \(problem.reason).",
                isTransient: true)
        default:
            return ComposeFailure(.sourceNotUsable, "The repository \(location) cannot be read: \(problem.reason).")
        }
    }

    /// Returns the failure for a repomd.xml that was read but cannot be used.
    func parsing(_ error: RepodataError, repomd: [UInt8]) -> ComposeFailure {
        if error.code == .host { return ComposeFailure(host: error) }
        if error.code == .malformed, repomd.firstRange(of: "\"primary_db\"".utf8) != nil {
            return ComposeFailure(
                .sourceNotUsable,
                "The repository \(location) has its package list only as an SQLite database (primary_db). "
                    + "This service reads the XML metadata (primary), which createrepo_c writes too by default.")
        }
        return ComposeFailure(
            .metadataCorrupt,
            "The repodata/repomd.xml of the repository \(location) cannot be used: \(error.message). Is it the location of an RPM repository?"
        )
    }

    /// Returns the failure for a metadata document that could not be read or used.
    func reading(_ problem: DocumentProblem) -> ComposeFailure {
        switch problem {
        case .transfer(let document, let problem): transferring(document, problem)
        case .content(let document, let error): using(document, error)
        }
    }

    private func transferring(_ document: String, _ problem: TransferProblem) -> ComposeFailure {
        if let failure = problem.commonFailure("The repository \(location)") { return failure }
        let finding = "The metadata of the repository \(location) cannot be used: the document \(document) is not what repomd.xml says"
        switch problem {
        case .overLimit(let limit):
            return ComposeFailure(
                .limitExceeded, "The metadata of the repository \(location) is too large: its \(document) has more than \(limit) bytes.")
        case .notPermitted, .refused:
            return ComposeFailure(
                .sourceNotUsable,
                "The metadata of the repository \(location) cannot be read: of its document \(document), \(problem.reason).")
        case .truncated(_, _, wasCut: true):
            return ComposeFailure(.metadataCorrupt, "\(finding): \(problem.reason).", isTransient: true)
        default:
            return ComposeFailure(
                .metadataCorrupt, "\(finding): \(problem.reason). The maintainer of the repository has to create its metadata again.")
        }
    }

    private func using(_ document: String, _ error: RepodataError) -> ComposeFailure {
        switch error.code {
        case .io:
            .storage("This service could not write the metadata to its disk: \(error.message). The operator of this service can help.")
        case .host: ComposeFailure(host: error)
        case .tooLarge: ComposeFailure(.limitExceeded, "The metadata of the repository \(location) is too large: \(error.message).")
        case .unsupported, .forbidden:
            ComposeFailure(.sourceNotUsable, "The metadata of the repository \(location) cannot be used: \(error.message).")
        default:
            ComposeFailure(
                .metadataCorrupt,
                "The metadata of the repository \(location) cannot be used: in its document \(document), \(error.message). "
                    + "The maintainer of the repository has to create its metadata again.")
        }
    }

    /// Returns the failure for a repository that has changed since `pin` was made.
    func changed(since pin: RepositoryPin) -> ComposeFailure {
        if pin.repomd == nil {
            ComposeFailure(
                .sourceNotUsable,
                "The repository \(location) no longer has the metadata of the time when the compose was first made (repomd.xml \(pin.checksum)): "
                    + "it has changed since. A new compose takes it as it is now.")
        } else {
            ComposeFailure(.sourceChanging, "The repository \(location) changed while it was read.", isTransient: true)
        }
    }

    func keptChanging(attempts: Int) -> ComposeFailure {
        ComposeFailure(
            .sourceChanging, "The repository \(location) changed each of the \(attempts) times that it was read. It is tried again later.",
            isTransient: true)
    }
}

extension ComposeFailure {
    /// Creates a failure of the host that reads or writes metadata. The repository did not cause it, and
    /// another worker's host may succeed.
    package init(host error: RepodataError) {
        self.init(
            .internal,
            "The service's host is not set up completely: \(error.message). The operator of this service can help.",
            isTransient: true)
    }
}
