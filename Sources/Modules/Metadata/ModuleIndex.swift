import CModulemd
import Glibc

/// A libmodulemd index of documents, owned. Not thread-safe: made, used and given up within one call.
struct ModuleIndex: ~Copyable {
    /// The versions of the formats that are read here; what is older is upgraded.
    private static let streamVersion = MD_MODULESTREAM_VERSION_TWO

    let pointer: OpaquePointer

    init() { pointer = modulemd_module_index_new() }

    init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { g_object_unref(UnsafeMutableRawPointer(pointer)) }

    /// Adds documents. Fields that the library does not know are passed over; a document that it cannot read at all is an error.
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

    /// The modules in it, by name.
    var modules: [OpaquePointer] {
        get throws(ModuleMetadataError) {
            try Self.names(modulemd_module_index_get_module_names_as_strv(pointer)).sorted().compactMap {
                modulemd_module_index_get_module(pointer, $0)
            }
        }
    }

    /// All its documents in YAML.
    func yaml() throws(ModuleMetadataError) -> String {
        // An empty index is an error to the library.
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

    // MARK: GLib's ways

    /// Calls the library and throws the error that it leaves; gives whether it says that all went well.
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

    /// Takes over an array of names that ends with a null pointer.
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

    /// A name of bounded length: strings of many combining marks take a time to compare that grows with the square of it.
    static func name(_ text: UnsafePointer<gchar>) throws(ModuleMetadataError) -> String {
        guard strnlen(text, longestName + 1) <= longestName else {
            throw ModuleMetadataError("A name in it is longer than \(longestName) bytes.")
        }
        return String(cString: text)
    }

    /// Bytes of the longest name of a module, a stream, a package and the like. What distributions have is a tenth of it.
    static let longestName = 1024

    /// The members of an array that stays the library's.
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
