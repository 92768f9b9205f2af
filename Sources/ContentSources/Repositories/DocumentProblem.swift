import Compression

/// The reason why a metadata document of a repository could not be read or used.
///
/// Each case has the name of the document for messages, for example
/// `primary (repodata/primary.xml.gz)`.
enum DocumentProblem: Error {
    /// The document was not transferred, or it is not the one that repomd.xml describes.
    case transfer(_ document: String, TransferProblem)
    /// The document is the one that repomd.xml describes, but its content cannot be used.
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
