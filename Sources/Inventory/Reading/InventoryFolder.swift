import Foundation
public import SystemPackage

/// An *inventory folder* is the folder of an inventory on this host. Nothing outside of it is read.
public struct InventoryFolder: Sendable {
    /// The folder's name, as the user gave it.
    public let name: String
    /// The real path, without symbolic links.
    public let path: FilePath

    /// The maximum size of `inventory.yaml`, of a template and of a Containerfile, in bytes.
    private static let mostBytes = 1 << 20

    /// Opens a folder.
    ///
    /// - Parameter name: The folder, or the `inventory.yaml` in it.
    /// - Parameter directory: The folder that a relative name is relative to.
    public init(_ name: String, in directory: FilePath) throws(InventoryProblem) {
        var folder = FilePath(name)
        if folder.lastComponent?.string == Inventory.fileName { folder.removeLastComponent() }
        let given = folder.isEmpty ? FilePath(".") : folder
        self.name = given.string
        let absolute = given.isAbsolute ? given : directory.appending(given.components)
        guard let real = Self.realPath(absolute) else { throw InventoryProblem(file: given.string, "there is no such folder") }
        path = real
    }

    /// Reads the inventory.
    public func inventory() throws(InventoryProblem) -> Inventory {
        var reader = InventoryReader(file: shown(Inventory.fileName))
        return try reader.read(text(of: Inventory.fileName))
    }

    /// The path of a file in messages.
    func shown(_ file: String) -> String { name == "." ? file : FilePath(name).appending(file).string }

    /// Reads a file of the folder.
    func text(of file: String) throws(InventoryProblem) -> String {
        let bytes: [UInt8]
        do {
            let descriptor = try FileDescriptor.open(resolve(file), .readOnly, options: [.nonBlocking, .closeOnExec])
            bytes = try descriptor.closeAfter {
                guard Self.isRegular(descriptor) else { throw Errno.isDirectory }
                return try Self.read(descriptor)
            }
        } catch let problem as InventoryProblem {
            throw problem
        } catch {
            throw InventoryProblem(file: shown(file), "the file cannot be read: \(error)")
        }
        guard bytes.count <= Self.mostBytes else {
            throw InventoryProblem(file: shown(file), "the file is larger than \(Self.mostBytes) bytes")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InventoryProblem(file: shown(file), "the file is not UTF-8 text")
        }
        return text
    }

    /// Returns the real path of something in the folder.
    ///
    /// - Throws: ``InventoryProblem`` if it does not exist, or if a symbolic link leads out of the folder.
    func resolve(_ file: String) throws(InventoryProblem) -> FilePath {
        guard let real = Self.realPath(path.appending(file)) else { throw InventoryProblem(file: shown(file), "there is no such file") }
        guard real.starts(with: path) else { throw InventoryProblem(file: shown(file), "the path leads out of the inventory") }
        return real
    }

    private static func isRegular(_ descriptor: FileDescriptor) -> Bool {
        var status = stat()
        return fstat(descriptor.rawValue, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// Reads at most one byte more than allowed.
    private static func read(_ descriptor: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= mostBytes {
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            if count == 0 { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private static func realPath(_ path: FilePath) -> FilePath? {
        guard let real = realpath(path.string, nil) else { return nil }
        defer { free(real) }
        return FilePath(String(cString: real))
    }
}
