import CCreaterepo  // its headers bring along those of librpm, whose structures the compiler may take to be defined here
import CRPM

/// What the header of an RPM says, read from lead, signature and header without the rest of the file.
public struct RPMHeaderContent: Hashable, Sendable {
    public let nevra: NEVRA
    /// MD5 of header and payload (`SIGMD5`), which Koji knows a package by; `nil` where the file was made without it.
    public let payloadHash: Checksum?
    public let fragments: PackageFragments

    /// Reads the first bytes of an RPM file, which may end with its header. Blocking.
    ///
    /// The digests of the header that stand in the signature are compared; signatures are not verified. Throws `.notAnRPM` for anything else than an RPM
    /// and for one whose header is damaged, `.truncated` and `.tooLarge` as their names say; `name` is what the message calls it.
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
