import CCreaterepo
import Compression
import SystemPackage

/// Writes repomd.xml with libcreaterepo_c.
enum RepomdWriter {
    static func write(
        _ records: [DocumentWriter.Record], to repodata: FilePath, revision: String, timestamp: Int
    ) throws(RepodataError) -> (checksum: Checksum, size: Int) {
        guard let repomd = cr_repomd_new() else { throw RepodataError(.io, "libcreaterepo_c has no memory") }
        // This frees the records as well.
        defer { cr_repomd_free(repomd) }
        cr_repomd_set_revision(repomd, revision)
        for record in records {
            guard let new = cr_repomd_record_new(record.type, record.filename) else {
                throw RepodataError(.io, "libcreaterepo_c has no memory")
            }
            func insert(_ text: String) -> UnsafeMutablePointer<CChar>? { g_string_chunk_insert(new.pointee.chunk, text) }
            new.pointee.checksum = insert(record.summary.checksum.hex)
            new.pointee.checksum_type = insert(record.summary.checksum.algorithm.rawValue)
            new.pointee.checksum_open = insert(record.summary.openChecksum.hex)
            new.pointee.checksum_open_type = insert(record.summary.openChecksum.algorithm.rawValue)
            new.pointee.size = gint64(record.summary.size)
            new.pointee.size_open = gint64(record.summary.openSize)
            new.pointee.timestamp = gint64(timestamp)
            cr_repomd_set_record(repomd, new)
        }
        cr_repomd_sort_records(repomd)
        let text = try CreaterepoLibrary.call("repomd.xml", .malformed) { cr_xml_dump_repomd(repomd, $0) }
        guard let text else { throw RepodataError(.malformed, "repomd.xml could not be made") }
        defer { g_free(text) }
        let bytes = Array(String(cString: text).utf8)
        try AtomicFile.write(bytes, to: repodata.appending("repomd.xml"))
        return (Digest.of(bytes, .sha256), bytes.count)
    }
}
