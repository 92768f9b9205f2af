import CRPM
import ForeignText
import Glibc
public import SystemPackage

/// A reader of the rpmdb in a directory. librpm reads it.
///
/// librpm shows the packages before the damaged part of an rpmdb, and reports the damage in its log
/// only. So every line of the log makes the rpmdb unreadable here.
public struct RPMDatabaseReader: Sendable {
    /// The implementation of librpm for a format.
    public enum Backend: String, Sendable, CaseIterable {
        case sqlite
        /// Berkeley DB, which librpm reads and does not write since version 4.16.
        case berkeley = "bdb_ro"
    }

    /// The reason why an rpmdb cannot be read, as a sentence.
    public struct Problem: Error, CustomStringConvertible {
        public let description: String
    }

    /// The most packages, and the most bytes of one text of a package. Distributions have 60 bytes at most
    /// in a name, and an image rarely has 1,000 packages.
    static let mostPackages = 20_000
    static let mostBytes = 300

    private let directory: FilePath
    private let backend: Backend

    public init(_ directory: FilePath, _ backend: Backend) {
        self.directory = directory
        self.backend = backend
    }

    /// Reads all packages. It changes settings of librpm for the whole process, so a process reads one
    /// rpmdb.
    public func packages() throws(Problem) -> [DatabasePackage] {
        // Warnings and everything graver.
        rpmlogSetMask(Int32(1 << (RPMLOG_WARNING.rawValue + 1)) - 1)
        // A percent sign would begin a macro.
        define("_dbpath \(directory.string.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%"))")
        define("_db_backend \(backend.rawValue)")
        let transaction = rpmtsCreate()
        defer { rpmtsFree(transaction) }
        // Signatures are not verified: the image may have been made from unsigned packages.
        let disabled =
            RPMVSF_NOHDRCHK.rawValue | RPMVSF_NOSHA1HEADER.rawValue | RPMVSF_NOSHA256HEADER.rawValue | RPMVSF_NODSAHEADER.rawValue
            | RPMVSF_NORSAHEADER.rawValue
        _ = rpmtsSetVSFlags(transaction, rpmVSFlags(disabled))
        guard rpmtsOpenDB(transaction, O_RDONLY) == 0 else { throw problem() ?? Problem(description: "librpm cannot open the rpmdb.") }
        var packages: [DatabasePackage] = []
        let iterator = rpmtsInitIterator(transaction, rpmDbiTagVal(RPMDBI_PACKAGES.rawValue), nil, 0)
        defer { rpmdbFreeIterator(iterator) }
        while let header = rpmdbNextIterator(iterator) {
            guard packages.count < Self.mostPackages else {
                throw Problem(description: "The rpmdb has more than \(Self.mostPackages) packages, the most that are read.")
            }
            packages.append(try package(header))
        }
        if let problem = problem() { throw problem }
        return packages
    }

    private func package(_ header: Header) throws(Problem) -> DatabasePackage {
        func text(_ tag: rpmTag_e) throws(Problem) -> String? {
            guard let pointer = headerGetString(header, rpmTagVal(tag.rawValue)) else { return nil }
            guard strnlen(pointer, Self.mostBytes + 1) <= Self.mostBytes else {
                throw Problem(description: "The rpmdb has a package with a text of more than \(Self.mostBytes) bytes, where names stand.")
            }
            return String(cString: pointer)
        }
        guard let name = try text(RPMTAG_NAME), let version = try text(RPMTAG_VERSION), let release = try text(RPMTAG_RELEASE) else {
            throw Problem(description: "The rpmdb has a package without name, version or release.")
        }
        return DatabasePackage(
            name: name, epoch: Int(clamping: headerGetNumber(header, rpmTagVal(RPMTAG_EPOCH.rawValue))), version: version, release: release,
            // Keys have none. rpm shows it so.
            arch: try text(RPMTAG_ARCH) ?? "(none)", source: try text(RPMTAG_SOURCERPM),
            modularityLabel: try text(RPMTAG_MODULARITYLABEL))
    }

    private func define(_ macro: String) { _ = rpmDefineMacro(nil, macro, Int32(RMIL_CMDLINE)) }

    /// Returns the last line of librpm's log, or nil if it is empty.
    private func problem() -> Problem? {
        guard rpmlogGetNrecs() > 0 else { return nil }
        let line = rpmlogMessage().map { String(cString: $0) } ?? ""
        let text = line.replacing(directory.string, with: "").split(separator: "\n").first ?? ""
        return Problem(description: "librpm cannot read the rpmdb: \(String(text.prefix(300)).printable())")
    }
}
