/** The Element Plus components that the page uses, and their styles: named here so that no other is bundled. */
import type { App } from "vue";
import {
  ElAlert,
  ElButton,
  ElConfigProvider,
  ElForm,
  ElFormItem,
  ElInput,
  ElSkeleton,
  ElTag,
} from "element-plus";
import "element-plus/es/components/base/style/css";
import "element-plus/es/components/alert/style/css";
import "element-plus/es/components/button/style/css";
import "element-plus/es/components/form/style/css";
import "element-plus/es/components/form-item/style/css";
import "element-plus/es/components/input/style/css";
import "element-plus/es/components/message/style/css";
import "element-plus/es/components/skeleton/style/css";
import "element-plus/es/components/tag/style/css";
import "element-plus/theme-chalk/dark/css-vars.css";

/** Make the components known to all templates. */
export function installElements(app: App): void {
  for (const element of [ElAlert, ElButton, ElConfigProvider, ElForm, ElFormItem, ElInput, ElSkeleton, ElTag]) {
    app.use(element);
  }
}
