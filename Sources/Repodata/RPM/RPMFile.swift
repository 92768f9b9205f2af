import CCreaterepo
import CRPM
import Compression
import SystemPackage

/// Opens RPM files with librpm.
enum RPMFile {
    /// `_RPMVSF_NODIGESTS | _RPMVSF_NOSIGNATURES | RPMVSF_NOHDRCHK`, which Swift cannot import.
    private static let withoutVerification: rpmVSFlags = [
        RPMVSF_NOSHA1HEADER, RPMVSF_NOSHA256HEADER, RPMVSF_NOMD5, RPMVSF_NOPAYLOAD,
        RPMVSF_NODSA, RPMVSF_NODSAHEADER, RPMVSF_NORSA, RPMVSF_NORSAHEADER, RPMVSF_NOHDRCHK,
    ].reduce(0) { $0 | $1.rawValue }

    /// The same as ``withoutVerification``, but the digests of the header in the signature part are
    /// verified if they exist.
    private static let withHeaderDigests =
        withoutVerification & ~rpmVSFlags(RPMVSF_NOSHA1HEADER.rawValue | RPMVSF_NOSHA256HEADER.rawValue)

    /// Calls `body` with the header, which is valid only during the call. Throws `.notAnRPM` if the file is
    /// not an RPM package or is damaged.
    ///
    /// Uses a transaction set of its own. `cr_package_from_rpm` shares one between threads, which loads its
    /// keyring without a lock.
    static func withHeader<Result>(
        of file: FilePath, named name: String, verifyingHeader: Bool = false, _ body: (Header) throws(RepodataError) -> Result
    ) throws(RepodataError) -> Result {
        try CreaterepoLibrary.prepare()
        guard let descriptor = Fopen(file.string, "r.ufdio"), Ferror(descriptor) == 0 else { throw .lastSystemError(name) }
        defer { Fclose(descriptor) }
        guard let transaction = rpmtsCreate() else { throw RepodataError(.io, "librpm has no memory") }
        defer { rpmtsFree(transaction) }
        rpmtsSetVSFlags(transaction, verifyingHeader ? withHeaderDigests : withoutVerification)
        var header: Header?
        let code = rpmReadPackageFile(transaction, descriptor, file.string, &header)
        defer { if let header { headerFree(header) } }
        guard code == RPMRC_OK || code == RPMRC_NOKEY || code == RPMRC_NOTTRUSTED, let header else {
            throw RepodataError(.notAnRPM, "\(name) is not an RPM package, or damaged")
        }
        return try body(header)
    }

    /// Returns the range of the main header, in bytes from the start of the file.
    static func headerRange(of file: FilePath, named name: String) throws(RepodataError) -> Range<Int> {
        let range: cr_HeaderRangeStruct
        do {
            range = try CreaterepoLibrary.call(name, .notAnRPM) { cr_get_header_byte_range(file.string, $0) }
        } catch {
            throw RepodataError(.notAnRPM, "\(name) is not an RPM package, or damaged")
        }
        guard range.start <= range.end else { throw RepodataError(.notAnRPM, "\(name) is not an RPM package, or damaged") }
        return Int(range.start)..<Int(range.end)
    }
}
