/// One of the three documents in which rpm-md describes packages. The raw value is its `type` in
/// repomd.xml.
public enum MetadataDocument: String, Hashable, Sendable, CaseIterable {
    case primary, filelists, other

    /// The name of the decompressed document in the directory of a repository's metadata.
    var fileName: String { "\(rawValue).xml" }

    /// The name of the file with the changes of the document, in the directory of a layer.
    var changesFileName: String { "\(rawValue).changes" }

    var rootElement: String {
        switch self {
        case .primary: "metadata"
        case .filelists: "filelists"
        case .other: "otherdata"
        }
    }

    var namespace: String {
        switch self {
        case .primary: "http://linux.duke.edu/metadata/common"
        case .filelists: "http://linux.duke.edu/metadata/filelists"
        case .other: "http://linux.duke.edu/metadata/other"
        }
    }

    /// Returns the beginning of the document, up to the first package.
    func opening(packageCount: Int) -> String {
        let rpmNamespace = self == .primary ? " xmlns:rpm=\"\(Self.rpmNamespace)\"" : ""
        return """
            <?xml version="1.0" encoding="UTF-8"?>
            <\(rootElement) xmlns="\(namespace)"\(rpmNamespace) packages="\(packageCount)">

            """
    }

    static let rpmNamespace = "http://linux.duke.edu/metadata/rpm"
}
