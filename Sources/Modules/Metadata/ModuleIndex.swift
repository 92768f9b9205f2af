import CModulemd
import Glibc

/// A libmodulemd index of documents, owned by this value. It is not thread-safe. A function creates,
/// uses and releases it within one call.
struct ModuleIndex: ~Copyable {
    /// The version of stream documents that this module reads. Older documents are upgraded to it.
    private static let streamVersion = MD_MODULESTREAM_VERSION_TWO

    let pointer: OpaquePointer

    init() { pointer = modulemd_module_index_new() }

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { g_object_unref(UnsafeMutableRawPointer(pointer)) }

    /// Adds documents. Fields that the library does not know are ignored. Throws if the library cannot read
    /// a document at all.
    func add(_ yaml: String) throws(ModuleMetadataError) {
        var failures: UnsafeMutablePointer<GPtrArray>?
        defer { if let failures { g_ptr_array_unref(failures) } }
        let isRead = try Self.check { modulemd_module_index_update_from_string(pointer, yaml, 0, &failures, $0) }
        if !isRead { throw ModuleMetadataError(Self.firstMessage(failures) ?? "A document is none of modulemd's.") }
        guard try Self.check({ modulemd_module_index_upgrade_streams(pointer, Self.streamVersion, $0) }) else {
            throw ModuleMetadataError("A stream of an older format cannot be upgraded.")
        }
    }

    func add(_ stream: UnsafeMutablePointer<ModulemdModuleStream>) throws(ModuleMetadataError) {
        _ = try Self.check { modulemd_module_index_add_module_stream(pointer, stream, $0) }
    }

    func add(_ defaults: UnsafeMutablePointer<ModulemdDefaults>) throws(ModuleMetadataError) {
        _ = try Self.check { modulemd_module_index_add_defaults(pointer, defaults, $0) }
    }

    func add(obsoletes: OpaquePointer) throws(ModuleMetadataError) {
        _ = try Self.check { modulemd_module_index_add_obsoletes(pointer, obsoletes, $0) }
    }

    func add(translation: OpaquePointer) throws(ModuleMetadataError) {
        _ = try Self.check { modulemd_module_index_add_translation(pointer, translation, $0) }
    }

    /// The modules in the index, sorted by name.
    var modules: [OpaquePointer] {
        get throws(ModuleMetadataError) {
            try Self.names(modulemd_module_index_get_module_names_as_strv(pointer)).sorted().compactMap {
                modulemd_module_index_get_module(pointer, $0)
            }
        }
    }

    /// Returns all documents in YAML, or an empty text if there are no modules.
    func yaml() throws(ModuleMetadataError) -> String {
        // The library treats an empty index as an error.
        if try modules.isEmpty { return "" }
        var text: UnsafeMutablePointer<CChar>?
        _ = try Self.check {
            text = modulemd_module_index_dump_to_string(pointer, $0)
            return text == nil ? 0 : 1
        }
        guard let text else { throw ModuleMetadataError("The documents cannot be written.") }
        defer { g_free(text) }
        return String(cString: text)
    }

    // MARK: GLib conventions

    /// Calls the library. Throws the error that it leaves, if any. Otherwise returns whether it reports
    /// success.
    static func check(
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<GError>?>) -> gboolean
    ) throws(ModuleMetadataError) -> Bool {
        var error: UnsafeMutablePointer<GError>?
        let isWell = call(&error) != 0
        if let error {
            defer { g_error_free(error) }
            throw ModuleMetadataError(String(cString: error.pointee.message))
        }
        return isWell
    }

    /// Converts an array of names that ends with a null pointer, and frees it.
    static func names(_ array: UnsafeMutablePointer<UnsafeMutablePointer<gchar>?>?) throws(ModuleMetadataError) -> [String] {
        guard let array else { return [] }
        defer { g_strfreev(array) }
        var names: [String] = []
        var next = array
        while let name = next.pointee {
            names.append(try Self.name(name))
            next += 1
        }
        return names
    }

    /// Converts a name and throws if it is longer than ``longestName``. Comparing strings with many
    /// combining marks takes a time that grows with the square of their length.
    static func name(_ text: UnsafePointer<gchar>) throws(ModuleMetadataError) -> String {
        guard strnlen(text, longestName + 1) <= longestName else {
            throw ModuleMetadataError("A name in it is longer than \(longestName) bytes.")
        }
        return String(cString: text)
    }

    /// The largest accepted length of a name of a module, a stream, a package and the like, in bytes. Names
    /// in distributions have a tenth of it.
    static let longestName = 1024

    /// Returns the members of an array. The library keeps ownership.
    static func members(_ array: UnsafeMutablePointer<GPtrArray>?) -> [UnsafeMutableRawPointer] {
        guard let array else { return [] }
        return (0..<Int(array.pointee.len)).compactMap { array.pointee.pdata[$0] }
    }

    private static func firstMessage(_ failures: UnsafeMutablePointer<GPtrArray>?) -> String? {
        for failure in members(failures) {
            if let error = modulemd_subdocument_info_get_gerror(OpaquePointer(failure)) { return String(cString: error.pointee.message) }
        }
        return nil
    }
}
