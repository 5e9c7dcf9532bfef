// What a finished study says: to the terminal, and as a page.
import { writeResult } from "../sweep/folder.js";
import type { StudyRecord } from "./types.js";

export async function writeStudyReport(
  folder: string,
  record: StudyRecord,
): Promise<{ text: string; report: string }> {
  const report = await writeResult(folder, "report.html", `<pre>${record.cells.length}</pre>`);
  return { text: "", report };
}
