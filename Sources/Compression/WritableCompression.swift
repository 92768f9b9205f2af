/// A compression in which files can be written.
public enum WritableCompression: String, Hashable, Sendable, CaseIterable {
    case gzip, zstd

    /// The suffix of the file name. Example: `.gz`.
    package var suffix: String {
        switch self {
        case .gzip: Compression.gzip.suffix
        case .zstd: Compression.zstd.suffix
        }
    }
}
