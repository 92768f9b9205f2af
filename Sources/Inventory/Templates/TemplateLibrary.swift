import ImageModel
import Mustache

/// A *template library* holds the Mustache templates of an inventory. Templates can use each other as
/// partials, `{{>dnf}}`, and as parents, `{{<base}}`. The name `dnf` is the file
/// `templates/dnf.mustache`.
struct TemplateLibrary {
    private let library: MustacheLibrary

    /// Reads and checks the templates that images use, and all templates that these use.
    ///
    /// - Returns: The library, and the problems of the templates that it has not.
    static func read(_ folder: InventoryFolder, for inventory: Inventory) -> (library: TemplateLibrary, problems: [InventoryProblem]) {
        var loading = Loading(folder: folder, check: TemplateCheck(names: TemplateValues.names(in: inventory)))
        var problems: [InventoryProblem] = []
        for image in inventory.images {
            guard case .template(let name) = image.recipe else { continue }
            do throws(InventoryProblem) {
                _ = try loading.measure(name, user: (folder.shown(Inventory.fileName), image.line))
            } catch {
                if !problems.contains(error) { problems.append(error) }
            }
        }
        return (TemplateLibrary(library: loading.library), problems)
    }

    /// Returns a rendered template, or `nil` if the library has no such template.
    func render(_ name: String, _ values: TemplateValues) -> String? {
        library.render(values.values, withTemplate: name)
    }

    /// The file of a template in its inventory.
    static func file(_ name: String) -> String { "templates/\(name).mustache" }

    private struct Loading {
        let folder: InventoryFolder
        let check: TemplateCheck
        var library = MustacheLibrary()
        private var measures: [String: TemplateCheck.Measure] = [:]
        /// The templates that are being read, each of which uses the next one.
        private var path: [String] = []

        init(folder: InventoryFolder, check: TemplateCheck) {
            self.folder = folder
            self.check = check
        }

        mutating func measure(_ name: String, user: (file: String, line: Int?)) throws(InventoryProblem) -> TemplateCheck.Measure {
            if let measure = measures[name] { return measure }
            if path.contains(name) {
                let circle = (path.drop { $0 != name } + [name]).joined(separator: " → ")
                throw InventoryProblem(file: user.file, line: user.line, "templates use each other in a circle: \(circle)")
            }
            guard Words.isRelativePath(name), path.count < 20 else {
                throw InventoryProblem(
                    file: user.file, line: user.line, "the template \(name) leads out of the inventory, or is used too deep")
            }
            let file = TemplateLibrary.file(name)
            let text: String
            do throws(InventoryProblem) {
                text = try folder.text(of: file)
            } catch {
                let message = "the template \(name) cannot be used: \(error.message) (\(folder.shown(file)))"
                throw InventoryProblem(file: user.file, line: user.line, message)
            }
            path.append(name)
            defer { path.removeLast() }
            let (shown, check) = (folder.shown(file), check)
            let measure = try check.measure(text, file: shown) { other, line throws(InventoryProblem) in
                try self.measure(other, user: (shown, line))
            }
            do {
                // Without this line, the library escapes values for HTML.
                _ = ShellWordContent.isRegistered
                try library.register("{{% CONTENT_TYPE: \(ShellWordContent.name)}}\n" + text, named: name)
            } catch let error as MustacheTemplate.ParserError {
                throw InventoryProblem(file: shown, line: max(1, error.context.lineNumber - 1), "this is not a template: \(error.error)")
            } catch {
                throw InventoryProblem(file: shown, "this is not a template: \(error)")
            }
            measures[name] = measure
            return measure
        }
    }
}
