import CCreaterepo  // its headers bring along those of librpm, whose structures the compiler may take to be defined here
import CRPM
public import Compression

/// The content of an RPM's header, read from lead, signature and header without the rest of the file.
public struct RPMHeaderContent: Hashable, Sendable {
    public let nevra: NEVRA
    /// The MD5 of header and payload (`SIGMD5`), by which Koji identifies a package. `nil` if the file was
    /// made without it.
    public let payloadHash: Checksum?
    public let fragments: PackageFragments

    /// Reads the first bytes of an RPM file, which may end after the header. Blocks the calling thread.
    ///
    /// It compares the digests of the header that the signature part contains. It does not verify
    /// signatures. Error messages call the file `name`.
    ///
    /// Throws `.notAnRPM` if the bytes are not those of an RPM or its header is damaged. Throws
    /// `.truncated` if they end inside the header, and `.tooLarge` if the header ends after
    /// ``RPMHeaderExtent/largest`` bytes.
    public init(reading bytes: [UInt8], named name: String) throws(RepodataError) {
        guard case .complete(let extent) = try RPMHeaderExtent.find(in: bytes, named: name) else {
            throw RPMHeaderExtent.truncated(bytes.count, name)
        }
        self = try MemoryFile.with(bytes, named: name) { (file) throws(RepodataError) in
            try RPMFile.withHeader(of: file, named: name, verifyingHeader: true) { (header) throws(RepodataError) in
                RPMHeaderContent(
                    nevra: try header.nevra(named: name), payloadHash: header.payloadHash,
                    fragments: try PackageFragments(
                        try CreaterepoPackage(header, named: name), headerSize: extent.range.count, named: name))
            }
        }
    }

    private init(nevra: NEVRA, payloadHash: Checksum?, fragments: PackageFragments) {
        self.nevra = nevra
        self.payloadHash = payloadHash
        self.fragments = fragments
    }
}
