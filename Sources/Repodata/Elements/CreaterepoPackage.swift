import CCreaterepo
import CRPM
import Compression
import Glibc
import SystemPackage

/// A package in libcreaterepo_c's representation. It is parsed from a repository's metadata or from an
/// RPM file, and then written into another repository.
final class CreaterepoPackage {
    /// The number of change log entries that are taken from an RPM file. createrepo_c has the same default.
    private static let changelogLimit: Int32 = 10

    private let package: UnsafeMutablePointer<cr_Package>
    private let name: String

    deinit { cr_package_free(package) }

    /// Parses the package from the metadata of the repository that has it. Throws `.malformed` if the
    /// metadata is not well-formed or describes another package than `record`.
    init(_ chunks: MetadataIndex.Chunks, of record: PackageRecord) throws(RepodataError) {
        try CreaterepoLibrary.prepare()
        guard let package = cr_package_new() else { throw RepodataError(.io, "libcreaterepo_c has no memory") }
        self.package = package
        name = record.nevra.description
        // The parsers keep a pkgid that is already set. It must always be set, because the parsers free their
        // error for a missing one twice (createrepo_c 0.17.3).
        package.pointee.pkgId = g_string_chunk_insert(package.pointee.chunk, record.pkgid.hex)

        // Primary repeats some of the files that filelists has.
        let withFiles: Int32 = chunks.filelists == nil ? 1 : 0
        try parse(chunks.primary, .primary) { cr_xml_parse_primary_snippet($0, $1, package, nil, nil, nil, nil, withFiles, $2) }
        try parse(chunks.filelists, .filelists) { cr_xml_parse_filelists_snippet($0, $1, package, nil, nil, nil, nil, $2) }
        try parse(chunks.other, .other) { cr_xml_parse_other_snippet($0, $1, package, nil, nil, nil, nil, $2) }
        try compare(with: record)
        if CreaterepoTexts.ampersandsAreReferences { CreaterepoTexts.restoreAmpersands(of: package) }
        // yum of EL 7 cannot read a version without epoch.
        package.pointee.epoch = insert(String(record.nevra.epoch))
    }

    /// Reads the package from the header of an RPM file, without the values that depend on the file.
    init(_ header: Header, named name: String) throws(RepodataError) {
        self.name = name
        let package = try CreaterepoLibrary.call(name, .notAnRPM) { cr_package_from_header(header, Self.changelogLimit, CR_HDRR_NONE, $0) }
        guard let package else { throw RepodataError(.notAnRPM, "\(name): its header cannot be used") }
        self.package = package
        package.pointee.time_file = package.pointee.time_build
    }

    /// Reads the package from an RPM file. `time file` becomes the package's build time, because the time
    /// when the file was copied here says nothing about its content.
    init(reading file: FilePath, algorithm: Checksum.Algorithm, named name: String) throws(RepodataError) {
        try CreaterepoLibrary.prepare()
        self.name = name
        let limit = Self.changelogLimit
        package = try RPMFile.withHeader(of: file, named: name) { (header) throws(RepodataError) in
            let package = try CreaterepoLibrary.call(name, .notAnRPM) { cr_package_from_header(header, limit, CR_HDRR_NONE, $0) }
            guard let package else { throw RepodataError(.notAnRPM, "\(name): its header cannot be used") }
            return package
        }
        var status = stat()
        guard stat(file.string, &status) == 0 else { throw .lastSystemError(name) }
        let range = try RPMFile.headerRange(of: file, named: name)
        let checksum = try FileChecksum.of(file, algorithm)
        package.pointee.time_file = package.pointee.time_build
        set(pkgid: checksum.hex, algorithm: algorithm, size: Int(status.st_size), headerRange: range)
    }

    /// Sets the values that depend on the file.
    func set(pkgid: String, algorithm: Checksum.Algorithm, size: Int, headerRange: Range<Int>) {
        package.pointee.pkgId = insert(pkgid)
        package.pointee.checksum_type = insert(
            cr_checksum_name_str(algorithm.createrepoType).map { String(cString: $0) } ?? algorithm.rawValue)
        package.pointee.size_package = gint64(size)
        package.pointee.rpm_header_start = gint64(headerRange.lowerBound)
        package.pointee.rpm_header_end = gint64(headerRange.upperBound)
    }

    /// The `pkgid` in hexadecimal.
    var pkgid: String { String(cString: package.pointee.pkgId) }

    /// Calls `body` with the package's element for each document. The elements say that the file is at
    /// `href` of the repository that they are written for.
    func dump(href: String, _ body: (MetadataDocument, UnsafeRawBufferPointer) throws(RepodataError) -> Void) throws(RepodataError) {
        package.pointee.location_href = insert(href)
        package.pointee.location_base = nil
        CreaterepoTexts.removeControlCharacters(of: package)
        let chunks = try CreaterepoLibrary.call(name, .malformed) { cr_xml_dump(package, $0) }
        defer {
            g_free(chunks.primary)
            g_free(chunks.filelists)
            g_free(chunks.other)
        }
        for (document, chunk) in [(MetadataDocument.primary, chunks.primary), (.filelists, chunks.filelists), (.other, chunks.other)] {
            guard let chunk else { throw RepodataError(.malformed, "\(name): libcreaterepo_c wrote nothing for \(document.rawValue)") }
            try body(document, UnsafeRawBufferPointer(start: chunk, count: strlen(chunk)))
        }
    }

    private typealias NewPackageCallback =
        @convention(c) (
            UnsafeMutablePointer<UnsafeMutablePointer<cr_Package>?>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?, UnsafePointer<CChar>?,
            UnsafeMutableRawPointer?, UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?
        ) -> Int32

    private func parse(
        _ chunk: [UInt8]?, _ document: MetadataDocument,
        by parser: (UnsafePointer<CChar>, NewPackageCallback, UnsafeMutablePointer<UnsafeMutablePointer<GError>?>?) -> Int32
    ) throws(RepodataError) {
        guard let chunk else { return }
        let place = "\(name) in \(document.rawValue)"
        try (chunk + [0]).withUnsafeBufferPointer { (buffer) throws(RepodataError) in
            guard let text = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self), strlen(text) == chunk.count else {
                throw RepodataError(.malformed, "\(place) contains a zero byte")
            }
            // All three parsers fill the one package that is passed as the data of their callbacks.
            let code = try CreaterepoLibrary.call(place, .malformed) { error in
                parser(
                    text,
                    { target, _, _, _, package, _ in
                        target?.pointee = package?.assumingMemoryBound(to: cr_Package.self)
                        return CR_CB_RET_OK
                    }, error)
            }
            guard code == CRE_OK.rawValue else { throw RepodataError(.malformed, "\(place) could not be parsed") }
        }
    }

    private func compare(with record: PackageRecord) throws(RepodataError) {
        let nevra = record.nevra
        func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        guard text(package.pointee.name) == nevra.name, text(package.pointee.version) == nevra.version,
            text(package.pointee.release) == nevra.release, text(package.pointee.arch) == nevra.arch,
            Int(text(package.pointee.epoch)) ?? 0 == nevra.epoch,
            Checksum.Algorithm(rpmMD: text(package.pointee.checksum_type)) == record.pkgid.algorithm
        else { throw RepodataError(.malformed, "the metadata with the pkgid \(record.pkgid) is not that of \(name)") }
    }

    private func insert(_ text: String) -> UnsafeMutablePointer<CChar>? { g_string_chunk_insert(package.pointee.chunk, text) }
}
