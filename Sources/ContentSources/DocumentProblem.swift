import Repodata

/// Why a document of a repository could not be had, with the document's name as people know it.
enum DocumentProblem: Error {
    /// It did not come, or not as repomd.xml says.
    case transfer(_ document: String, TransferProblem)
    /// It came as repomd.xml says, and cannot be used.
    case content(_ document: String, RepodataError)

    /// Whether the reason may be that repomd.xml has been replaced since it was read.
    var mayBeChange: Bool {
        switch self {
        case .transfer(_, .missing), .transfer(_, .refused), .transfer(_, .larger), .transfer(_, .checksum),
            .transfer(_, .truncated(_, _, wasCut: false)):
            true
        default: false
        }
    }
}
