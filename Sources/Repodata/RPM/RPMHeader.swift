import CCreaterepo  // its headers bring along those of librpm, whose structures the compiler may take to be defined here
import CRPM
public import Compression
public import SystemPackage

/// The header of an RPM package file, as far as a repository needs it.
///
/// librpm reads it without verifying digests or signatures. The file's checksum has been compared
/// before, and the keys are only identified, not trusted.
public struct RPMHeader: Hashable, Sendable {
    public let nevra: NEVRA
    /// The file name of the source RPM, or `nil` for a source RPM.
    public let sourceRPM: String?
    /// The key ids of the signatures of the header alone. Each has 16 lower-case hexadecimal digits.
    public let headerKeyIDs: [String]
    /// The key ids of the signatures of header and payload together. Older versions of RPM make these
    /// signatures as well.
    public let payloadKeyIDs: [String]
    /// The range of the main header in the file, in bytes: `rpm:header-range`.
    public let headerRange: Range<Int>
    /// The digest of the compressed payload, if the header has one (RPM 4.14 and later).
    public let payloadDigest: Checksum?

    /// All key ids without duplicates, header signatures first. Empty means that the package is unsigned.
    public var signingKeyIDs: [String] {
        headerKeyIDs + payloadKeyIDs.filter { !headerKeyIDs.contains($0) }
    }

    /// Reads the header of `file`. Blocks the calling thread. Throws `.notAnRPM` if the file is not an RPM.
    /// Error messages call the file `name`.
    public init(reading file: FilePath, named name: String? = nil) throws(RepodataError) {
        let name = name ?? file.shortName
        self = try RPMFile.withHeader(of: file, named: name) { (header) throws(RepodataError) in
            RPMHeader(
                nevra: try header.nevra(named: name),
                sourceRPM: headerIsSource(header) != 0 ? nil : header.string(RPMTAG_SOURCERPM),
                headerKeyIDs: header.keyIDs([RPMTAG_RSAHEADER, RPMTAG_DSAHEADER]),
                payloadKeyIDs: header.keyIDs([RPMTAG_SIGPGP, RPMTAG_SIGGPG]),
                headerRange: try RPMFile.headerRange(of: file, named: name),
                payloadDigest: header.payloadDigest)
        }
    }

    private init(
        nevra: NEVRA, sourceRPM: String?, headerKeyIDs: [String], payloadKeyIDs: [String], headerRange: Range<Int>, payloadDigest: Checksum?
    ) {
        self.nevra = nevra
        self.sourceRPM = sourceRPM
        self.headerKeyIDs = headerKeyIDs
        self.payloadKeyIDs = payloadKeyIDs
        self.headerRange = headerRange
        self.payloadDigest = payloadDigest
    }
}

extension Header {
    func nevra(named file: String) throws(RepodataError) -> NEVRA {
        guard let name = string(RPMTAG_NAME), let version = string(RPMTAG_VERSION), let release = string(RPMTAG_RELEASE),
            let arch = string(RPMTAG_ARCH)
        else { throw RepodataError(.notAnRPM, "\(file): its header lacks name, version, release or architecture") }
        return NEVRA(
            name: name, epoch: Int(clamping: headerGetNumber(self, rpmTagVal(RPMTAG_EPOCH.rawValue))), version: version, release: release,
            // As in createrepo_c: the header of a source RPM has the architecture of the host that made it.
            arch: headerIsSource(self) != 0 ? "src" : arch)
    }

    /// The MD5 of header and payload, which signing does not change. `nil` if the file was made without it.
    var payloadHash: Checksum? {
        let data = rpmtdNew()
        defer {
            rpmtdFreeData(data)
            rpmtdFree(data)
        }
        guard let data, headerGet(self, rpmTagVal(RPMTAG_SIGMD5.rawValue), data, headerGetFlags(HEADERGET_MINMEM.rawValue)) == 1,
            data.pointee.type == RPM_BIN_TYPE.rawValue, data.pointee.count == 16, let digest = data.pointee.data
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: digest, count: 16)
        return Checksum(.md5, hex: bytes.map { Self.hexadecimal($0) }.joined())
    }

    fileprivate func string(_ tag: rpmTag_e) -> String? {
        headerGetString(self, rpmTagVal(tag.rawValue)).map { String(cString: $0) }
    }

    /// Returns the key ids of the signatures that the header has under `tags`.
    fileprivate func keyIDs(_ tags: [rpmTag_e]) -> [String] {
        var ids: [String] = []
        for tag in tags {
            guard let id = keyID(tag), !ids.contains(id) else { continue }
            ids.append(id)
        }
        return ids
    }

    private func keyID(_ tag: rpmTag_e) -> String? {
        let data = rpmtdNew()
        defer {
            rpmtdFreeData(data)
            rpmtdFree(data)
        }
        // rpmtdCount returns 1 for binary data. The length is in the structure.
        guard let data, headerGet(self, rpmTagVal(tag.rawValue), data, headerGetFlags(HEADERGET_MINMEM.rawValue)) == 1,
            data.pointee.type == RPM_BIN_TYPE.rawValue, let packet = data.pointee.data
        else { return nil }
        var parameters: pgpDigParams?
        let code = pgpPrtParams(
            packet.assumingMemoryBound(to: UInt8.self), Int(data.pointee.count), UInt32(PGPTAG_SIGNATURE.rawValue), &parameters)
        defer { if let parameters { pgpDigParamsFree(parameters) } }
        guard code == 0, let parameters, let id = pgpDigParamsSignID(parameters) else { return nil }
        return (0..<Int(PGP_KEYID_LEN)).map { Self.hexadecimal(id[$0]) }.joined()
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return byte < 16 ? "0" + digits : digits
    }

    fileprivate var payloadDigest: Checksum? {
        // PGPHASHALGO of RFC 4880, section 9.4.
        let algorithms: [UInt64: Checksum.Algorithm] = [1: .md5, 2: .sha1, 8: .sha256, 9: .sha384, 10: .sha512, 11: .sha224]
        let data = rpmtdNew()
        defer {
            rpmtdFreeData(data)
            rpmtdFree(data)
        }
        guard headerGet(self, rpmTagVal(RPMTAG_PAYLOADDIGEST.rawValue), data, headerGetFlags(HEADERGET_MINMEM.rawValue)) == 1,
            rpmtdNext(data) >= 0, let text = rpmtdGetString(data),
            let algorithm = algorithms[headerGetNumber(self, rpmTagVal(RPMTAG_PAYLOADDIGESTALGO.rawValue))]
        else { return nil }
        return Checksum(algorithm, hex: String(cString: text))
    }
}
